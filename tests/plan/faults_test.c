/* Memory that runs out anywhere between compiling and the end of a step. */
#include <stdlib.h>
#include <string.h>

#include "support/allocator.h"
#include "support/combined_network.h"
#include "support/toy_network.h"

/* A network, its batches, and what may go wrong in it. */
typedef struct subject {
    thaw_model *(*make)(thaw_context *context);
    thaw_status (*step)(thaw_model *model, uint32_t seed);
    const char *freeze; /* before the second compilation */
} subject;

static thaw_model *make_toys(thaw_context *context)
{
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "a", 0, -1);
    toy_append(model, &toy_relu, NULL, 1, -1);
    toy_append(model, &toy_center, "b", 2, -1);
    toy_append(model, &toy_sum, NULL, 3, 1);
    toy_append(model, &toy_curve, NULL, 4, -1);
    toy_append(model, &toy_scale, "c", 5, -1);
    toy_append(model, &toy_quadratic, NULL, 6, -1);
    support_optimize(model, "adam:lr=0.1");
    return model;
}

static thaw_status step_toys(thaw_model *model, uint32_t seed)
{
    return toy_step(model, 4, seed, &(thaw_step_options){ .clip_norm = 1 });
}

static thaw_model *make_network(thaw_context *context)
{
    thaw_model *model = support_network(context, true);
    support_optimize(model, "sgd:lr=0.1,momentum=0.9");
    return model;
}

static thaw_status step_network(thaw_model *model, uint32_t seed)
{
    return support_step(model, 4, seed, NULL, NULL);
}

/* Takes the step again and again, each time with one more allocation before the first that fails, until it succeeds.
   Counts the failures. */
static size_t step_until_done(const subject *tested, thaw_model *model, support_allocator *allocator, uint32_t seed)
{
    size_t failures = 0, count;
    float *before = support_weights(model, &count);
    for (;; failures++) {
        allocator->fail_at = allocator->calls + failures + 1;
        allocator->fail_on = failures % 2;
        const thaw_status status = tested->step(model, seed);
        allocator->fail_at = 0;
        if (status == THAW_OK)
            break;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY, "failure %zu: %s, %s", failures, thaw_status_name(status),
                     thaw_context_message(thaw_model_context(model)));
        float *after = support_weights(model, &count);
        cr_assert_eq(memcmp(before, after, count * sizeof(float)), 0, "failure %zu changed the parameters", failures);
        free(after);
    }
    free(before);
    return failures;
}

/* Three compilations: all trainable, some frozen, and for evaluation. */
static float *train_in_want(const subject *tested, support_allocator *allocator, thaw_context *context, bool in_want)
{
    thaw_model *model = tested->make(context);
    size_t failures = 0, count;
    for (uint32_t round = 0; round < 2; round++) {
        if (in_want)
            failures += step_until_done(tested, model, allocator, round);
        else
            assert_ok(context, tested->step(model, round));
        assert_ok(context, tested->step(model, round + 10));
        assert_ok(context, thaw_model_freeze(model, tested->freeze));
    }
    cr_assert(!in_want || failures >= 40, "%zu failures", failures);
    float *weights = support_weights(model, &count);
    thaw_model_destroy(model);
    return weights;
}

static void assert_survives(const subject *tested)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    size_t count;
    thaw_model *model = tested->make(context);
    free(support_weights(model, &count));
    thaw_model_destroy(model);
    float *expected = train_in_want(tested, &allocator, context, false);
    const size_t live = allocator.live;
    float *found = train_in_want(tested, &allocator, context, true);
    cr_assert_eq(allocator.live, live, "%zu blocks leaked", allocator.live - live);
    cr_assert_eq(memcmp(expected, found, count * sizeof(float)), 0, "the want of memory changed the result");
    free(expected);
    free(found);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0, "%zu blocks leaked", allocator.live);
}

Test(faults, toys_survive_every_one)
{
    assert_survives(&(subject){ make_toys, step_toys, "a" });
}

Test(faults, a_convolutional_network_survives_every_one)
{
    assert_survives(&(subject){ make_network, step_network, "conv*" });
}

static thaw_model *make_combined(thaw_context *context)
{
    thaw_model *model = support_combined_network(context);
    support_optimize(model, "adam:lr=0.1");
    return model;
}

Test(faults, a_network_of_expressions_survives_every_one)
{
    assert_survives(&(subject){ make_combined, step_network, "conv2*" });
}

/* The same for what an evaluation allocates, and for descriptions. */
Test(faults, looking_at_a_plan_survives_every_one)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = make_toys(context);
    const size_t bare = allocator.live;
    size_t failures = 0;
    for (thaw_status status = THAW_OUT_OF_MEMORY; status != THAW_OK; failures++) {
        const thaw_plan *plan;
        char *text = NULL;
        allocator.fail_at = allocator.calls + failures + 1;
        status = thaw_model_plan(model, &(thaw_plan_options){ .batch = 3, .inference = true }, &plan);
        if (status == THAW_OK)
            status = thaw_plan_describe(plan, &text);
        cr_assert(status == THAW_OK || status == THAW_OUT_OF_MEMORY, "%s", thaw_status_name(status));
        cr_assert_eq(text != NULL, status == THAW_OK);
        thaw_text_destroy(context, text);
    }
    cr_assert_geq(failures, 10, "%zu failures", failures);
    cr_assert_gt(allocator.live, bare, "the plan is there");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0, "%zu blocks leaked", allocator.live);
}
