/* The algebra of freezing, over every subset of the groups of a network. */
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

enum { BATCH = 5, STEPS = 10, SUBSETS = 1 << NETWORK_GROUPS };

static float *gradients_of(const thaw_parameter *parameter, size_t *count)
{
    *count = thaw_shape_count(thaw_parameter_shape(parameter));
    float *copy = malloc(*count * sizeof(float));
    memcpy(copy, thaw_parameter_gradient(parameter), *count * sizeof(float));
    return copy;
}

Test(freezing, gradients_of_what_trains_are_those_of_full_training)
{
    thaw_context *context = support_context(2);
    thaw_model *full = support_network(context, false), *model = support_network(context, false);
    const thaw_step_options only_gradients = { .gradients_only = true };
    assert_ok(context, support_step(full, BATCH, 3, &only_gradients, NULL));
    for (unsigned subset = 1; subset < SUBSETS; subset++) {
        support_train_only(model, subset);
        assert_ok(context, support_step(model, BATCH, 3, &only_gradients, NULL));
        for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
            const thaw_parameter *parameter = thaw_model_parameter(model, i);
            if (!thaw_parameter_trainable(parameter)) {
                cr_assert_null(thaw_parameter_gradient(parameter), "subset %u: %s has a gradient", subset,
                               thaw_parameter_name(parameter));
                continue;
            }
            size_t count;
            float *expected = gradients_of(thaw_model_parameter(full, i), &count);
            assert_close(thaw_parameter_gradient(parameter), expected, count, 1e-6, thaw_parameter_name(parameter));
            free(expected);
        }
    }
    thaw_model_destroy(model);
    thaw_model_destroy(full);
    thaw_context_destroy(context);
}

/* Every slot of both optimizers by PyTorch's names. */
static bool has_state(const thaw_parameter *parameter)
{
    static const char *const slots[] = { "momentum_buffer", "exp_avg", "exp_avg_sq" };
    for (size_t i = 0; i < THAW_COUNT(slots); i++)
        if (thaw_parameter_state(parameter, slots[i]))
            return true;
    return false;
}

static void check_frozen_bytes(const char *optimizer)
{
    thaw_context *context = support_context(2);
    for (unsigned subset = 1; subset < SUBSETS; subset++) {
        thaw_model *model = support_network(context, true);
        support_optimize(model, optimizer);
        support_train_only(model, subset);
        size_t count;
        float *before = support_weights(model, &count);
        for (uint32_t step = 0; step < STEPS; step++)
            assert_ok(context, support_step(model, BATCH, step, NULL, NULL));
        const float *old = before;
        for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
            const thaw_parameter *parameter = thaw_model_parameter(model, i);
            const size_t elements = thaw_shape_count(thaw_parameter_shape(parameter));
            const bool same = memcmp(old, thaw_parameter_data(parameter), elements * sizeof(float)) == 0;
            const bool trains = thaw_parameter_trainable(parameter);
            cr_assert(same == !trains, "subset %u: %s %s", subset, thaw_parameter_name(parameter),
                      same ? "did not move" : "moved");
            cr_assert(has_state(parameter) == trains, "subset %u: state of %s", subset, thaw_parameter_name(parameter));
            cr_assert_eq(thaw_parameter_steps(parameter), trains ? STEPS : 0);
            old += elements;
        }
        free(before);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

Test(freezing, sgd_leaves_frozen_bytes_alone)
{
    check_frozen_bytes("sgd:lr=0.01,momentum=0.9,weight_decay=0.1");
}

Test(freezing, adam_leaves_frozen_bytes_alone)
{
    check_frozen_bytes("adamw:lr=0.01,weight_decay=0.1");
}

Test(freezing, no_backward_kernel_below_the_lowest_trainable_parameter)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    for (unsigned subset = 1; subset < SUBSETS; subset++) {
        support_train_only(model, subset);
        const thaw_plan *plan;
        assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
        bool reached = false;
        for (size_t i = 0; i < thaw_plan_entry_count(plan); i++) {
            thaw_plan_entry entry;
            assert_ok(context, thaw_plan_entry_at(plan, i, &entry));
            const thaw_group *group = thaw_model_find_group(model, entry.name);
            const bool trains = group && thaw_group_trainable(group);
            cr_assert(!entry.input_gradient || reached, "subset %u: %s passes a gradient down", subset, entry.name);
            cr_assert_eq(entry.parameter_gradient, trains, "subset %u: weights of %s", subset, entry.name);
            cr_assert((entry.region == THAW_REGION_PREFIX) == !(reached || trains), "subset %u: region of %s", subset,
                      entry.name);
            reached = reached || trains;
        }
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A group that thaws after the others starts at its own step 1. */
Test(freezing, a_late_group_counts_its_own_steps)
{
    thaw_context *context = support_context(2);
    thaw_model *model = support_network(context, false);
    support_optimize(model, "adam:lr=0.01");
    support_train_only(model, 1U << 4);
    for (uint32_t step = 0; step < 3; step++)
        assert_ok(context, support_step(model, BATCH, step, NULL, NULL));
    assert_ok(context, thaw_model_unfreeze(model, "dense1"));
    thaw_parameter *late = thaw_model_find_parameter(model, "dense1.bias");
    float before[11];
    memcpy(before, thaw_parameter_data(late), sizeof before);
    assert_ok(context, support_step(model, BATCH, 9, NULL, NULL));
    cr_assert_eq(thaw_parameter_steps(late), 1);
    cr_assert_eq(thaw_parameter_steps(thaw_model_find_parameter(model, "dense3.bias")), 4);
    /* At step 1, bias correction makes Adam's step the learning rate times the gradient's sign. */
    for (size_t i = 0; i < THAW_COUNT(before); i++) {
        const float gradient = thaw_parameter_gradient(late)[i];
        const float moved = thaw_parameter_data(late)[i] - before[i];
        const float expected = gradient > 1e-5F ? -0.01F : gradient < -1e-5F ? 0.01F : moved;
        cr_assert_float_eq(moved, expected, 2e-5F, "element %zu: moved %g with gradient %g", i, (double)moved,
                           (double)gradient);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(freezing, nothing_trainable_refuses_to_train_and_evaluates)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_network(context, false);
    support_optimize(model, "sgd");
    support_train_only(model, 0);
    assert_fails(context, support_step(model, BATCH, 1, NULL, NULL), THAW_NOTHING_TRAINABLE, "unfreeze");
    thaw_dataset *data = support_samples(context, 20, 1);
    thaw_evaluation evaluation;
    assert_ok(context, thaw_evaluate(model, data, 8, &evaluation));
    cr_assert_eq(evaluation.samples, 20);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
