/* A run that the host drives, with steps that are skipped, and when memory runs out. */
#include "support/allocator.h"
#include "support/network.h"

enum { SAMPLES = 45, BATCH = 16, STEPS = 3 };

/* Of one number from two, whose first is 0 in all samples but one; see skips_an_update_whose_gradient_is_not_finite in
   step_test.c. */
Test(trainer_faults, counts_skipped_steps)
{
    enum { COUNT = 10, PAIR = 2 };
    thaw_context *context = support_context(1);
    thaw_model *model;
    thaw_dataset *data;
    thaw_trainer *trainer;
    thaw_node x;
    float pairs[COUNT][2] = { { 0 } }, wanted[COUNT] = { 0 };
    for (int i = 0; i < COUNT; i++)
        pairs[i][1] = wanted[i] = (float)i;
    pairs[5][0] = 1e30F;
    pairs[5][1] = wanted[5] = 0;
    const thaw_tensor inputs = thaw_view_f32(pairs[0], 2, (const int64_t[]){ COUNT, 2 });
    const thaw_tensor targets = thaw_view_f32(wanted, 2, (const int64_t[]){ COUNT, 1 });
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { 2 } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "line", .units = 1 }, &x));
    assert_ok(context, thaw_mse(model, x, NULL, &x));
    assert_ok(context, thaw_dataset_from_arrays(context, &inputs, &targets, 0, &data));
    thaw_parameter *weight = thaw_model_find_parameter(model, "line.weight");
    thaw_parameter_edit(weight)[0] = 1e-12F;
    support_optimize(model, "sgd:lr=1e-3");
    const thaw_fit_options options = { .epochs = 2, .batch = PAIR, .no_shuffle = true };
    assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
    for (size_t step = 0; step < COUNT; step++) {
        thaw_step_result result;
        assert_ok(context, thaw_trainer_step(trainer, &result));
        cr_assert_eq(result.skipped, step % 5 == 2, "step %zu", step);
        cr_assert_eq(thaw_trainer_result(trainer)->skipped_steps, step % 5 >= 2);
    }
    cr_assert_eq(thaw_trainer_position_of(trainer).all_steps, COUNT);
    cr_assert_eq(thaw_parameter_steps(weight), COUNT - 2);
    thaw_trainer_destroy(trainer);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_status create_and_step(thaw_model *model, thaw_dataset *data)
{
    thaw_trainer *trainer;
    const thaw_fit_options options = { .epochs = 2, .batch = BATCH, .cache_bytes = 1 << 24 };
    thaw_status status = thaw_trainer_create(model, data, &options, &trainer);
    for (int step = 0; status == THAW_OK && step < STEPS + 1; step++)
        status = thaw_trainer_step(trainer, NULL);
    thaw_trainer_destroy(trainer);
    return status;
}

/* On a new model, which goes again. */
static thaw_status run_out(thaw_context *context, thaw_dataset *data, support_allocator *allocator, size_t failure)
{
    thaw_model *model = support_network(context, false);
    support_optimize(model, "adam");
    assert_ok(context, thaw_model_freeze(model, "conv*"));
    allocator->fail_at = failure ? allocator->calls + failure : 0;
    const thaw_status status = create_and_step(model, data);
    allocator->fail_at = 0;
    thaw_model_destroy(model);
    return status;
}

/* Memory runs out in a rule, then behind it in compiling: the rate is halved once. */
Test(trainer_faults, applies_rules_once_when_compiling_is_tried_again)
{
    const thaw_strategy_rule rule = { .pattern = "@head", .action = THAW_ACTION_RATE, .value = 0.5 };
    const thaw_strategy halves = { .name = "halves", .rules = &rule, .rule_count = 1 };
    const thaw_fit_options options = { .batch = BATCH, .strategy = &halves };
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *data = support_samples(context, SAMPLES, 2);
    size_t failures = 0, later = 0;
    for (bool failed = true; failed;) {
        thaw_model *model = support_network(context, false);
        thaw_trainer *trainer;
        support_optimize(model, "sgd:lr=1");
        const thaw_group *head = thaw_model_find_group(model, "dense3");
        assert_ok(context, thaw_trainer_create(model, data, &options, &trainer));
        allocator.fail_at = allocator.calls + ++failures;
        const thaw_status status = thaw_trainer_step(trainer, NULL);
        failed = status == THAW_OUT_OF_MEMORY;
        cr_assert(failed || status == THAW_OK, "%s", thaw_context_message(context));
        later += failed && thaw_group_learning_rate(head) == 0.5;
        allocator.fail_at = 0;
        assert_ok(context, thaw_trainer_epoch(trainer, NULL));
        cr_assert(thaw_group_learning_rate(head) == 0.5, "%g after failure %zu", thaw_group_learning_rate(head),
                  failures);
        cr_assert_eq(thaw_trainer_position_of(trainer).all_steps, STEPS);
        thaw_trainer_destroy(trainer);
        thaw_model_destroy(model);
    }
    cr_assert(later > 10 && failures > later + 2, "%zu failures, %zu behind the rule", failures, later);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
}

Test(trainer_faults, leaves_nothing_when_memory_runs_out)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *data = support_samples(context, SAMPLES, 2);
    assert_ok(context, run_out(context, data, &allocator, 0));
    const size_t live = allocator.live; /* with what the context made for its first kernel */
    size_t failures = 0;
    thaw_status status = THAW_OUT_OF_MEMORY;
    while (status == THAW_OUT_OF_MEMORY) {
        status = run_out(context, data, &allocator, ++failures);
        cr_assert_eq(allocator.live, live, "%zu, %zu before, after failure %zu", allocator.live, live, failures);
    }
    cr_assert_eq(status, THAW_OK, "%s", thaw_context_message(context));
    cr_assert_gt(failures, 20);
    thaw_dataset_destroy(data);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}
