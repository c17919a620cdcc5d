/* The algebra of freezing over every subset of the groups of a network with batch normalisation, a residual sum, an
   LSTM, a low-rank change and a mask. */
#include <stdlib.h>
#include <string.h>

#include "support/mixed_network.h"

enum { BATCH = 5, STEPS = 10, SUBSETS = 1 << MIXED_GROUPS };

/* The forward pass is the same with whatever is frozen, normalisation apart: frozen, it computes with its running
   statistics. So gradients are those of full training with it, or without. */
Test(mixed_freezing, gradients_of_what_trains_are_those_of_full_training)
{
    const thaw_step_options only_gradients = { .gradients_only = true };
    thaw_context *context = support_context(2);
    thaw_model *full[2];
    for (unsigned norm = 0; norm < 2; norm++) {
        full[norm] = support_mixed_network(context);
        support_mixed_train_only(full[norm], SUBSETS - 1U - (norm ? 0 : 1U << MIXED_NORM));
        assert_ok(context, support_mixed_step(full[norm], BATCH, 3, &only_gradients, NULL));
    }
    for (unsigned subset = 1; subset < SUBSETS; subset++) {
        thaw_model *model = support_mixed_network(context), *expected = full[subset >> MIXED_NORM & 1];
        support_mixed_train_only(model, subset);
        assert_ok(context, support_mixed_step(model, BATCH, 3, &only_gradients, NULL));
        for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
            const thaw_parameter *parameter = thaw_model_parameter(model, i);
            const float *found = thaw_parameter_gradient(parameter);
            cr_assert_eq(found != NULL, thaw_parameter_trainable(parameter), "subset %u: %s", subset,
                         thaw_parameter_name(parameter));
            if (found)
                assert_close(found, thaw_parameter_gradient(thaw_model_parameter(expected, i)),
                             thaw_shape_count(thaw_parameter_shape(parameter)), 2e-6, thaw_parameter_name(parameter));
        }
        thaw_model_destroy(model);
    }
    thaw_model_destroy(full[0]);
    thaw_model_destroy(full[1]);
    thaw_context_destroy(context);
}

/* Every slot of the optimizers by PyTorch's names. */
static bool has_state(const thaw_parameter *parameter)
{
    static const char *const slots[] = { "momentum_buffer", "exp_avg", "exp_avg_sq", "square_avg", "grad_avg" };
    for (size_t i = 0; i < THAW_COUNT(slots); i++)
        if (thaw_parameter_state(parameter, slots[i]))
            return true;
    return false;
}

static void check_bytes(const thaw_parameter *parameter, const float *before, bool may_move, unsigned subset)
{
    const char *name = thaw_parameter_name(parameter);
    const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
    const float *now = thaw_parameter_data(parameter);
    size_t moved = 0;
    for (size_t i = 0; i < count; i++) {
        const bool same = memcmp(&now[i], &before[i], sizeof *now) == 0;
        const bool masked = strcmp(name, "dense1.weight") == 0 && !support_mixed_is_left(i);
        cr_assert(same || (may_move && !masked), "subset %u: %s[%zu] moved", subset, name, i);
        moved += !same;
    }
    cr_assert(!may_move || moved > 0, "subset %u: %s did not move", subset, name);
}

static void check_subset(thaw_context *context, const char *optimizer, unsigned subset)
{
    thaw_model *model = support_mixed_network(context);
    support_optimize(model, optimizer);
    support_mixed_train_only(model, subset);
    size_t count;
    float *before = support_weights(model, &count), *old = before;
    for (uint32_t step = 0; step < STEPS; step++)
        assert_ok(context, support_mixed_step(model, BATCH, step, NULL, NULL));
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const bool trains = thaw_parameter_trainable(parameter);
        const bool follows = thaw_parameter_role(parameter) == THAW_STATISTIC && subset >> MIXED_NORM & 1;
        check_bytes(parameter, old, trains || follows, subset);
        cr_assert_eq(has_state(parameter), trains, "subset %u: state of %s", subset, thaw_parameter_name(parameter));
        cr_assert_eq(thaw_parameter_steps(parameter), trains ? STEPS : 0);
        old += thaw_shape_count(thaw_parameter_shape(parameter));
    }
    free(before);
    thaw_model_destroy(model);
}

Test(mixed_freezing, frozen_and_masked_bytes_are_left_alone)
{
    static const char *const optimizers[] = { "sgd:lr=0.01,momentum=0.9,weight_decay=0.1",
                                              "adam:lr=0.01,weight_decay=0.1", "adamw:lr=0.01,weight_decay=0.1",
                                              "rmsprop:lr=0.01,momentum=0.9,weight_decay=0.1" };
    thaw_context *context = support_context(2);
    for (unsigned subset = 1; subset < SUBSETS; subset++)
        check_subset(context, optimizers[subset % THAW_COUNT(optimizers)], subset);
    thaw_context_destroy(context);
}

Test(mixed_freezing, no_backward_kernel_runs_below_the_lowest_trainable_parameter)
{
    thaw_context *context = support_context(1);
    thaw_model *model = support_mixed_network(context);
    for (unsigned subset = 1; subset < SUBSETS; subset++) {
        support_mixed_train_only(model, subset);
        const thaw_plan *plan;
        assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH }, &plan));
        bool carries[MIXED_NODES] = { false };
        for (size_t i = 0; i < MIXED_NODES; i++) {
            const mixed_node *node = &mixed_nodes[i];
            const bool trains = node->groups & subset;
            bool below = false;
            for (size_t k = 0; k < THAW_COUNT(node->inputs); k++)
                below = below || (node->inputs[k] >= 0 && carries[node->inputs[k]]);
            carries[i] = trains || below;
            thaw_plan_entry entry;
            assert_ok(context, thaw_plan_entry_at(plan, i, &entry));
            /* What another's kernel does altogether, its backward does, too. */
            const bool elsewhere = entry.fused_into != NULL;
            cr_assert(entry.input_gradient ? below : !below || elsewhere, "subset %u: input gradient of %s", subset,
                      entry.name);
            cr_assert_eq(entry.parameter_gradient, trains, "subset %u: weights of %s", subset, entry.name);
            cr_assert_eq(entry.region == THAW_REGION_PREFIX, !carries[i], "subset %u: region of %s", subset,
                         entry.name);
            cr_assert(entry.backward_flops == 0 || trains || below, "subset %u: work backward of %s", subset,
                      entry.name);
        }
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
