/* LSTM and GRU as a user has them: stacks, two directions, initial states, and names. */
#include <stdlib.h>
#include <string.h>

#include "layers/recurrent_stack.h"
#include "plan/plan.h"
#include "plan/store.h"

enum {
    BATCH = RECURRENT_BATCH,
    STEPS = RECURRENT_STEPS,
    FEATURES = RECURRENT_FEATURES,
    UNITS = RECURRENT_UNITS,
    MOST = RECURRENT_MOST
};

/* ---- names ---- */

static void assert_names(thaw_model *model, const char *const *names, size_t count)
{
    cr_assert_eq(thaw_model_parameter_count(model), count);
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(thaw_parameter_name(thaw_model_parameter(model, i)), names[i]);
}

Test(recurrent_stack, has_pytorch_names)
{
    static const char *const names[] = {
        "rnn.weight_ih_l0",         "rnn.weight_hh_l0",         "rnn.bias_ih_l0",         "rnn.bias_hh_l0",
        "rnn.weight_ih_l0_reverse", "rnn.weight_hh_l0_reverse", "rnn.bias_ih_l0_reverse", "rnn.bias_hh_l0_reverse",
        "rnn.weight_ih_l1",         "rnn.weight_hh_l1",         "rnn.bias_ih_l1",         "rnn.bias_hh_l1",
        "rnn.weight_ih_l1_reverse", "rnn.weight_hh_l1_reverse", "rnn.bias_ih_l1_reverse", "rnn.bias_hh_l1_reverse",
    };
    static const char *const without_bias[] = { "rnn.weight_ih_l0", "rnn.weight_hh_l0" };
    thaw_context *context = support_context(1);
    thaw_model *model = recurrent_stack(context, 0, &recurrent_pair_of_pairs, false);
    assert_names(model, names, THAW_COUNT(names));
    cr_assert_not_null(thaw_model_find_group(model, "rnn.l0_reverse"));
    const thaw_shape *weight = thaw_parameter_shape(thaw_model_find_parameter(model, "rnn.weight_ih_l1_reverse"));
    cr_assert(thaw_shape_equal(weight, &(thaw_shape){ 2, { 4 * UNITS, 2 * UNITS } }));
    thaw_model_destroy(model);
    model =
        recurrent_stack(context, 1, &(thaw_recurrent_options){ .name = "rnn", .units = UNITS, .no_bias = true }, false);
    assert_names(model, without_bias, THAW_COUNT(without_bias));
    cr_assert_not_null(thaw_model_find_group(model, "rnn"));
    weight = thaw_parameter_shape(thaw_model_find_parameter(model, "rnn.weight_hh_l0"));
    cr_assert(thaw_shape_equal(weight, &(thaw_shape){ 2, { 3 * UNITS, UNITS } }));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(recurrent_stack, makes_names)
{
    thaw_context *context = support_context(1);
    thaw_model *model = recurrent_sequence(context);
    thaw_node node;
    for (int i = 0; i < 2; i++)
        assert_ok(context, thaw_lstm(model, 0, &(thaw_recurrent_options){ .units = 2, .layers = 2 }, &node));
    assert_ok(context, thaw_lstm(model, 0, &(thaw_recurrent_options){ .units = 2 }, &node));
    static const char *const groups[] = { "lstm1.l0", "lstm1.l1", "lstm2.l0", "lstm2.l1", "lstm3" };
    for (size_t i = 0; i < THAW_COUNT(groups); i++)
        cr_assert_str_eq(thaw_group_name(thaw_model_group(model, i)), groups[i]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(recurrent_stack, starts_uniform)
{
    thaw_context *context = support_context(1);
    thaw_model *model = recurrent_stack(context, 0, &(thaw_recurrent_options){ .name = "rnn", .units = 100 }, false);
    for (size_t i = 0; i < 4; i++) {
        const thaw_parameter *p = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(p));
        float least = 1, most = -1;
        for (size_t k = 0; k < count; k++) {
            const float value = thaw_parameter_data(p)[k];
            least = value < least ? value : least;
            most = value > most ? value : most;
        }
        cr_assert(least >= -0.1F && least < -0.097F, "%s: %g", thaw_parameter_name(p), (double)least);
        cr_assert(most <= 0.1F && most > 0.097F, "%s: %g", thaw_parameter_name(p), (double)most);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- freezing ---- */

static void copy_gradients(thaw_model *model, float *gradients)
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *p = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(p));
        memcpy(gradients, thaw_parameter_gradient(p), count * sizeof *gradients);
        gradients += count;
    }
}

/* Every subset of a stack's parameters: those that train have the gradients that they have when all do. */
Test(recurrent_stack, gradients_do_not_depend_on_what_else_is_frozen)
{
    thaw_context *context = support_context(2);
    const thaw_step_options only_gradients = { .gradients_only = true };
    const thaw_recurrent_options two = { .name = "rnn", .units = 2 * UNITS, .layers = 2 };
    static float full[MOST];
    for (int gru = 0; gru < 2; gru++) {
        thaw_model *model = recurrent_stack(context, gru, &two, true);
        assert_ok(context, recurrent_step(model, &only_gradients, NULL));
        copy_gradients(model, full);
        for (unsigned subset = 1; subset < 256; subset++) {
            const float *expected = full;
            for (size_t i = 0; i < 8; i++)
                assert_ok(context, (subset >> i & 1 ? thaw_model_unfreeze
                                                    : thaw_model_freeze)(model, thaw_parameter_name(
                                                                                    thaw_model_parameter(model, i))));
            assert_ok(context, recurrent_step(model, &only_gradients, NULL));
            for (size_t i = 0; i < 8; i++) {
                const thaw_parameter *p = thaw_model_parameter(model, i);
                const size_t count = thaw_shape_count(thaw_parameter_shape(p));
                cr_assert_eq(thaw_parameter_gradient(p) != NULL, subset >> i & 1);
                if (subset >> i & 1)
                    assert_close(thaw_parameter_gradient(p), expected, count, 1e-5, thaw_parameter_name(p));
                expected += count;
            }
        }
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

Test(recurrent_stack, has_a_prefix_where_the_lower_layer_is_frozen)
{
    thaw_context *context = support_context(1);
    const thaw_recurrent_options two = { .name = "rnn", .units = 2 * UNITS, .layers = 2, .dropout = 0.5 };
    thaw_model *model = recurrent_stack(context, 0, &two, true);
    thaw_plan *plan;
    assert_ok(context, thaw_model_freeze(model, "rnn.*_l0"));
    assert_ok(context, thaw_plan_find(model, BATCH, true, &plan));
    cr_assert_eq(plan->nodes[1].region, THAW_REGION_PREFIX);
    cr_assert(!plan->nodes[1].carries);
    cr_assert_eq(plan->nodes[3].region, THAW_REGION_LIVE);
    cr_assert(!plan->nodes[3].input_gradient[0]);
    assert_ok(context, thaw_model_unfreeze(model, "rnn.bias_hh_l0"));
    assert_ok(context, thaw_plan_find(model, BATCH, true, &plan));
    cr_assert(plan->nodes[1].carries && plan->nodes[3].input_gradient[0]);
    cr_assert(!plan->nodes[1].needs.keeps_inputs);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- the same again ---- */

/* The weights after some steps, bit by bit. */
static float *train(int gru, int threads, double dropout, size_t *count)
{
    const thaw_recurrent_options options = {
        .name = "rnn", .units = UNITS, .layers = 2, .bidirectional = true, .dropout = dropout
    };
    thaw_context *context = support_context(threads);
    thaw_model *model = recurrent_stack(context, gru, &options, true);
    for (int step = 0; step < 5; step++)
        assert_ok(context, recurrent_step(model, NULL, NULL));
    float *weights = malloc(MOST * sizeof *weights), *at = weights;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *p = thaw_model_parameter(model, i);
        const size_t size = thaw_shape_count(thaw_parameter_shape(p));
        memcpy(at, thaw_parameter_data(p), size * sizeof *at);
        at += size;
    }
    *count = (size_t)(at - weights);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return weights;
}

Test(recurrent_stack, repeats_itself_bit_by_bit)
{
    for (int gru = 0; gru < 2; gru++)
        for (int threads = 1; threads < 4; threads++) {
            size_t count;
            float *first = train(gru, threads, 0.3, &count), *second = train(gru, threads, 0.3, &count);
            cr_assert_eq(memcmp(first, second, count * sizeof *first), 0, "%s on %d threads", recurrent_kinds[gru],
                         threads);
            free(first);
            free(second);
        }
}

Test(recurrent_stack, drops_the_same_elements_for_any_thread_count)
{
    size_t count;
    float *one = train(0, 1, 0.5, &count), *none = train(0, 1, 0, &count);
    cr_assert_neq(memcmp(one, none, count * sizeof *one), 0);
    for (int threads = 2; threads < 4; threads++) {
        float *other = train(0, threads, 0.5, &count);
        assert_close(other, one, count, 1e-5, "weights");
        free(other);
    }
    free(one);
    free(none);
}

/* ---- initial states of stacks ---- */

/* States of a stack of two layers come from a layer below; each node takes its own, and gradients add up. */
Test(recurrent_stack, trains_what_its_initial_states_are_made_of)
{
    thaw_context *context = support_context(2);
    for (int gru = 0; gru < 2; gru++) {
        thaw_model *model = recurrent_sequence(context);
        thaw_node states[2], node;
        thaw_optimizer *optimizer;
        const thaw_recurrent_options below = { .name = "below", .units = 3 };
        assert_ok(context, thaw_gru(model, 0, &below, &node)); /* [5, 3]: a state for each of 5 layers */
        states[0] = states[1] = node;
        assert_ok(context, recurrent_append(model, gru, 0,
                                            &(thaw_recurrent_options){ .name = "rnn",
                                                                       .units = 3,
                                                                       .layers = STEPS,
                                                                       .initial = states,
                                                                       .initial_count = gru ? 1 : 2 },
                                            &node));
        assert_ok(context, thaw_mse(model, node, NULL, &node));
        assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0", &optimizer));
        assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
        thaw_optimizer_destroy(optimizer);
        thaw_parameter *p = thaw_model_find_parameter(model, "below.weight_ih_l0");
        for (size_t i = 0; i < 9 * FEATURES; i++) {
            const float step = 0x1p-6F, kept = thaw_parameter_data(p)[i];
            thaw_step_result above, beneath;
            thaw_parameter_edit(p)[i] = kept + step;
            assert_ok(context, recurrent_step(model, NULL, &above));
            thaw_parameter_edit(p)[i] = kept - step;
            assert_ok(context, recurrent_step(model, NULL, &beneath));
            thaw_parameter_edit(p)[i] = kept;
            assert_ok(context, recurrent_step(model, NULL, NULL));
            const float slope = (float)((above.loss - beneath.loss) / 2 / (double)step);
            assert_close(&thaw_parameter_gradient(p)[i], &slope, 1, 1e-4, "slope");
        }
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}
