/* The algebra of freezing over every subset of the groups of a network whose layers compute with expressions. */
#include <stdlib.h>
#include <string.h>

#include "support/combined_network.h"

enum { BATCH = 5, STEPS = 5, SUBSETS = 1 << COMBINED_GROUPS };

static void train_only(thaw_model *model, unsigned subset)
{
    for (unsigned i = 0; i < COMBINED_GROUPS; i++)
        assert_ok(thaw_model_context(model),
                  (subset >> i & 1 ? thaw_model_unfreeze : thaw_model_freeze)(model, combined_groups[i]));
}

Test(combined_freezing, gradients_of_what_trains_are_those_of_full_training)
{
    thaw_context *context = support_context(2);
    thaw_model *full = support_combined_network(context), *model = support_combined_network(context);
    const thaw_step_options only_gradients = { .gradients_only = true };
    assert_ok(context, support_step(full, BATCH, 3, &only_gradients, NULL));
    for (unsigned subset = 1; subset < SUBSETS; subset++) {
        train_only(model, subset);
        assert_ok(context, support_step(model, BATCH, 3, &only_gradients, NULL));
        for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
            const thaw_parameter *parameter = thaw_model_parameter(model, i);
            const float *found = thaw_parameter_gradient(parameter);
            cr_assert_eq(found != NULL, thaw_parameter_trainable(parameter), "subset %u: %s", subset,
                         thaw_parameter_name(parameter));
            if (found)
                assert_close(found, thaw_parameter_gradient(thaw_model_parameter(full, i)),
                             thaw_shape_count(thaw_parameter_shape(parameter)), 1e-6, thaw_parameter_name(parameter));
        }
    }
    thaw_model_destroy(model);
    thaw_model_destroy(full);
    thaw_context_destroy(context);
}

/* What the loss cannot depend on: masked elements, and the half of "shared" that no layer gets. */
static bool is_reached(const char *name, size_t index)
{
    if (strcmp(name, "dense1.weight") == 0)
        return support_is_left(index);
    return strcmp(name, "shared.factor") != 0 || index >= 6;
}

static void check_bytes(const thaw_parameter *parameter, const float *before, unsigned subset)
{
    const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
    const float *now = thaw_parameter_data(parameter);
    const bool trains = thaw_parameter_trainable(parameter);
    size_t moved = 0;
    for (size_t i = 0; i < count; i++) {
        const bool same = memcmp(&now[i], &before[i], sizeof *now) == 0;
        cr_assert(same || (trains && is_reached(thaw_parameter_name(parameter), i)), "subset %u: %s[%zu] moved", subset,
                  thaw_parameter_name(parameter), i);
        moved += !same;
    }
    cr_assert(!trains || moved > 0, "subset %u: %s did not move", subset, thaw_parameter_name(parameter));
}

static void check_subset(thaw_context *context, const char *optimizer, unsigned subset)
{
    thaw_model *model = support_combined_network(context);
    support_optimize(model, optimizer);
    train_only(model, subset);
    size_t count;
    float *before = support_weights(model, &count);
    for (uint32_t step = 0; step < STEPS; step++)
        assert_ok(context, support_step(model, BATCH, step, NULL, NULL));
    const float *old = before;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        check_bytes(parameter, old, subset);
        old += thaw_shape_count(thaw_parameter_shape(parameter));
    }
    free(before);
    thaw_model_destroy(model);
}

Test(combined_freezing, frozen_and_masked_bytes_are_left_alone)
{
    thaw_context *context = support_context(2);
    for (unsigned subset = 1; subset < SUBSETS; subset++)
        check_subset(context,
                     subset % 2 ? "sgd:lr=0.01,momentum=0.9,weight_decay=0.1" : "adamw:lr=0.01,weight_decay=0.1",
                     subset);
    thaw_context_destroy(context);
}

Test(combined_freezing, trainability_follows_the_rule)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_combined_network(context);
    for (unsigned subset = 0; subset < SUBSETS; subset++) {
        train_only(model, subset);
        const bool conv1 = subset & 1, conv2 = subset >> 1 & 1, dense2 = subset >> 3 & 1, lora = subset >> 5 & 1,
                   norm = subset >> 6 & 1;
        thaw_trainability found;
        assert_ok(context, thaw_model_trainability(model, "conv2.weight", &found));
        cr_assert_eq(found, conv2 && lora ? THAW_TRAINABLE : conv2 || lora ? THAW_PARTIAL : THAW_FROZEN);
        assert_ok(context, thaw_model_trainability(model, "dense2", &found));
        cr_assert_eq(found, dense2 && norm ? THAW_TRAINABLE : dense2 || norm ? THAW_PARTIAL : THAW_FROZEN);
        assert_ok(context, thaw_model_trainability(model, "conv?", &found));
        cr_assert_eq(found, conv1 && conv2 && lora   ? THAW_TRAINABLE
                            : conv1 || conv2 || lora ? THAW_PARTIAL
                                                     : THAW_FROZEN);
        assert_ok(context, thaw_model_trainability(model, "dense1.weight", &found));
        cr_assert_eq(found, subset >> 2 & 1 ? THAW_PARTIAL : THAW_FROZEN);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* Late thawing: frozen expressions were computed once, and are not any more. */
Test(combined_freezing, a_thaw_and_a_freeze_change_the_plan)
{
    thaw_context *context = support_context(2);
    thaw_model *model = support_combined_network(context), *other = support_combined_network(context);
    support_optimize(model, "sgd:lr=0.05");
    support_optimize(other, "sgd:lr=0.05");
    for (uint32_t step = 0; step < 12; step++) {
        const unsigned subset = 1 + step * 37 % (SUBSETS - 1);
        train_only(model, subset);
        train_only(other, subset);
        /* The other's plans are made anew in every step. */
        assert_ok(context, thaw_parameter_bind(other, thaw_model_find_parameter(other, "conv1.weight"), NULL));
        thaw_step_result found, expected;
        assert_ok(context, support_step(model, BATCH, step, NULL, &found));
        assert_ok(context, support_step(other, BATCH, step, NULL, &expected));
        cr_assert_eq(found.loss, expected.loss, "step %u: %.17g and %.17g", step, found.loss, expected.loss);
    }
    thaw_model_destroy(other);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(combined_freezing, the_same_threads_give_the_same_bits)
{
    for (int threads = 1; threads <= 3; threads++) {
        thaw_context *context = support_context(threads);
        float *runs[2];
        size_t count;
        for (int run = 0; run < 2; run++) {
            thaw_model *model = support_combined_network(context);
            support_optimize(model, "adam:lr=0.01");
            for (uint32_t step = 0; step < STEPS; step++)
                assert_ok(context, support_step(model, BATCH, step, &(thaw_step_options){ .clip_norm = 1 }, NULL));
            runs[run] = support_weights(model, &count);
            thaw_model_destroy(model);
        }
        cr_assert_eq(memcmp(runs[0], runs[1], count * sizeof(float)), 0, "%d threads", threads);
        free(runs[0]);
        free(runs[1]);
        thaw_context_destroy(context);
    }
}
