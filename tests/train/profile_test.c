/* Times of instructions: those that run have one, and together they are the step's. */
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

/* Other processes disturb how near the sum comes to the step, so only its order of magnitude is asserted. */
Test(profile, times_of_instructions_add_up_to_the_steps)
{
    static float samples[BATCH * SIDE * SIDE * 8];
    int32_t labels[BATCH];
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    support_fill(samples, THAW_COUNT(samples), 1);
    for (int i = 0; i < BATCH; i++)
        labels[i] = i % CLASSES;
    const thaw_tensor inputs = thaw_view_f32(samples, 4, (int64_t[]){ BATCH, SIDE, SIDE, 8 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ BATCH });
    const thaw_plan *plan;
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
    double *seconds = calloc(thaw_plan_instruction_count(plan), sizeof *seconds), step;
    assert_ok(context, thaw_model_profile(model, &inputs, &targets, STEPS, seconds, &step));
    const double sum = sum_times(plan, seconds);
    cr_assert(sum > step / 2 && sum < 2 * step, "instructions take %g s, the step %g s", sum, step);
    free(seconds);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(profile, refuses_what_a_step_refuses)
{
    thaw_context *context = support_context(1);
    thaw_model *model = build(context);
    float sample[3] = { 0 };
    int32_t label = 0;
    double seconds[64], step;
    const thaw_tensor inputs = thaw_view_f32(sample, 2, (int64_t[]){ 1, 3 });
    const thaw_tensor targets = thaw_view_i32(&label, 1, (int64_t[]){ 1 });
    cr_assert_eq(thaw_model_profile(model, &inputs, &targets, 1, seconds, &step), THAW_SHAPE_MISMATCH);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
