/* Times of instructions: those that run have one, and with what is between them they add up to the step's. */
#include <stdlib.h>
#include <string.h>

#include "support/support.h"

enum { SIDE = 24, BATCH = 16, CLASSES = 5, STEPS = 15 };

static thaw_model *build(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    thaw_optimizer *optimizer;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { SIDE, SIDE, 8 } }, &x));
    for (int i = 0; i < 3; i++)
        assert_ok(context,
                  thaw_conv2d(model, x, &(thaw_conv2d_options){ .filters = 32, .kernel = { 3, 3 }, .same = true }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=1e-4", &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    return model;
}

static bool runs_in_a_step(const thaw_plan_instruction *row)
{
    return strcmp(row->operation, "forward") == 0 || strcmp(row->operation, "backward") == 0 ||
           strcmp(row->operation, "update") == 0;
}

/* Sum over the instructions, each of which has a time where it runs. */
static double sum_times(const thaw_plan *plan, const double *seconds)
{
    double sum = 0;
    for (size_t i = 0; i < thaw_plan_instruction_count(plan); i++) {
        thaw_plan_instruction row;
        cr_assert_eq(thaw_plan_instruction_at(plan, i, &row), THAW_OK);
        if (runs_in_a_step(&row))
            cr_assert_gt(seconds[i], 0, "%s %s", row.operation, row.layer ? row.layer : "");
        if (strcmp(row.section, "clip") == 0)
            cr_assert_eq(seconds[i], 0, "nothing is clipped");
        sum += seconds[i];
    }
    return sum;
}

/* Consecutive stamps of one clock: the lines are the step, but for the rounding of sums. */
static void check_sum(int threads, bool frozen)
{
    static float samples[BATCH * SIDE * SIDE * 8];
    int32_t labels[BATCH];
    thaw_context *context = support_context(threads);
    thaw_model *model = build(context);
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, "conv*"));
    support_fill(samples, THAW_COUNT(samples), 1);
    for (int i = 0; i < BATCH; i++)
        labels[i] = i % CLASSES;
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ BATCH, SIDE, SIDE, 8 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ BATCH });
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    double *seconds = calloc(thaw_plan_instruction_count(plan), sizeof *seconds), rest, step;
    assert_ok(context, thaw_model_profile(model, &inputs, &targets, STEPS, seconds, &rest, &step));
    const double sum = sum_times(plan, seconds);
    cr_assert_gt(rest, 0);
    cr_assert_float_eq(sum + rest, step, 1e-9 * step + 1e-9, "instructions take %g s, the rest %g s, the step %g s",
                       sum, rest, step);
    free(seconds);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(profile, times_of_instructions_and_the_rest_add_up_to_the_step)
{
    check_sum(1, false);
    check_sum(2, false);
    check_sum(2, true);
}

Test(profile, refuses_what_a_step_refuses)
{
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    float sample[3] = { 0 };
    int32_t label = 0;
    double seconds[64], rest, step;
    const thaw_tensor inputs = thaw_view_f32(sample, 2, (int64_t[]){ 1, 3 });
    const thaw_tensor targets = thaw_view_i32(&label, 1, (int64_t[]){ 1 });
    cr_assert_eq(thaw_model_profile(model, &inputs, &targets, 1, seconds, &rest, &step), THAW_SHAPE_MISMATCH);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
