/* LSTM and GRU as a user has them: stacks, two directions, initial states, names, and PyTorch beside them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/model.h"
#include "plan/plan.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/recurrent.h"

enum { BATCH = 3, STEPS = 5, FEATURES = 4, UNITS = 6, MOST = 4096 };

static const char *const kinds[] = { "lstm", "gru" };

static thaw_status append(thaw_model *model, int gru, thaw_node input, const thaw_recurrent_options *options,
                          thaw_node *output)
{
    return (gru ? thaw_gru : thaw_lstm)(model, input, options, output);
}

static thaw_model *sequence_model(thaw_context *context)
{
    return layer_model(context, 2, (const int64_t[]){ STEPS, FEATURES });
}

/* A stack named "rnn" that is to be trained towards a sequence. */
static thaw_model *stack_model(thaw_context *context, int gru, const thaw_recurrent_options *options, bool loss)
{
    thaw_model *model = sequence_model(context);
    thaw_optimizer *optimizer;
    thaw_node node = 0;
    assert_ok(context, append(model, gru, node, options, &node));
    if (loss)
        assert_ok(context, thaw_mse(model, node, &(thaw_mse_options){ .reduction = THAW_REDUCE_SUM }, &node));
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0.01,momentum=0.9", &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    return model;
}

static thaw_status take_step(thaw_model *model, const thaw_step_options *options, thaw_step_result *result)
{
    float inputs[BATCH * STEPS * FEATURES], targets[BATCH * STEPS * 2 * UNITS];
    const int64_t *out = thaw_model_node_shape(model, thaw_model_output(model))->dims;
    support_fill(inputs, BATCH * STEPS * FEATURES, 100);
    support_fill(targets, BATCH * STEPS * 2 * UNITS, 400);
    const thaw_tensor x = thaw_view_f32(inputs, 3, (const int64_t[]){ BATCH, STEPS, FEATURES });
    const thaw_tensor y = thaw_view_f32(targets, 3, (const int64_t[]){ BATCH, out[0], out[1] });
    return thaw_step(model, &x, &y, options, result);
}

static void predict(thaw_model *model, float *values)
{
    float inputs[BATCH * STEPS * FEATURES];
    thaw_shape shape = *thaw_model_node_shape(model, thaw_model_output(model));
    support_fill(inputs, BATCH * STEPS * FEATURES, 100);
    memmove(shape.dims + 1, shape.dims, (size_t)shape.rank++ * sizeof shape.dims[0]);
    shape.dims[0] = BATCH;
    const thaw_tensor x = thaw_view_f32(inputs, 3, (const int64_t[]){ BATCH, STEPS, FEATURES });
    assert_ok(thaw_model_context(model),
              thaw_predict(model, &x, &(thaw_tensor){ .dtype = THAW_F32, .shape = shape, .data = values }));
}

/* ---- PyTorch ---- */

static void check_golden(FILE *file, const char *name, const float *found, size_t count)
{
    float expected[MOST];
    golden_read(file, name, expected, count);
    assert_close(found, expected, count, 1e-5, name);
}

static void check_layer(FILE *file, thaw_context *context, int gru)
{
    static const char *const inputs[] = { "input", "hidden", "cell" };
    static const char *const parameters[] = { "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0" };
    const recurrent_case c = {
        .batch = BATCH, .steps = STEPS, .features = FEATURES, .units = UNITS, .gru = gru, .initial = true
    };
    char settings[32];
    thaw_model *model = recurrent_model(context, &c);
    layer l = layer_open(model, &(layer_wish){ .batch = BATCH,
                                               .training = true,
                                               .input_gradients = true,
                                               .parameter_gradient = { true, true, true, true } });
    layer_forward(&l);
    layer_backward(&l);
    snprintf(settings, sizeof settings, "%s layer", kinds[gru]);
    golden_case(file, settings);
    check_golden(file, "output", l.output, l.output_size);
    for (size_t k = 0; k < l.input_count; k++)
        check_golden(file, inputs[k], l.input_gradients[k], l.input_size[k]);
    for (size_t k = 0; k < 4; k++)
        check_golden(file, parameters[k], l.parameter_gradients[k], l.parameter_size[k]);
    layer_close(&l, model);
}

static const thaw_recurrent_options pair_of_pairs = {
    .name = "rnn", .units = UNITS, .layers = 2, .bidirectional = true
};

static void load(thaw_model *model, int gru)
{
    char path[SUPPORT_PATH_BYTES], name[32];
    snprintf(name, sizeof name, "%s.safetensors", kinds[gru]);
    assert_ok(thaw_model_context(model), thaw_weights_load(model, support_golden(path, name), NULL, NULL));
}

static void check_stack(FILE *file, thaw_context *context, int gru)
{
    char settings[32];
    float values[MOST], loss;
    thaw_step_result result;
    thaw_recurrent_options last = pair_of_pairs;
    last.last_only = true;
    thaw_model *model = stack_model(context, gru, &pair_of_pairs, true);
    thaw_model *last_model = stack_model(context, gru, &last, false);
    snprintf(settings, sizeof settings, "%s stack", kinds[gru]);
    golden_case(file, settings);
    load(model, gru);
    load(last_model, gru);
    predict(model, values);
    check_golden(file, "output", values, BATCH * STEPS * 2 * UNITS);
    predict(last_model, values);
    check_golden(file, "last", values, BATCH * 2 * UNITS);
    assert_ok(context, take_step(model, &(thaw_step_options){ .gradients_only = true }, &result));
    golden_read(file, "loss", &loss, 1);
    cr_assert_float_eq(result.loss, loss, 1e-4);
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *p = thaw_model_parameter(model, i);
        check_golden(file, thaw_parameter_name(p) + strlen("rnn."), thaw_parameter_gradient(p),
                     thaw_shape_count(thaw_parameter_shape(p)));
    }
    thaw_model_destroy(last_model);
    thaw_model_destroy(model);
}

Test(recurrent_stack, equals_pytorch)
{
    FILE *file = golden_open("recurrent.txt");
    thaw_context *context = support_context(2);
    for (int gru = 0; gru < 2; gru++) {
        check_layer(file, context, gru);
        check_stack(file, context, gru);
    }
    fclose(file);
    thaw_context_destroy(context);
}

/* ---- names ---- */

static void assert_names(thaw_model *model, const char *const *names, size_t count)
{
    cr_assert_eq(thaw_model_parameter_count(model), count);
    for (size_t i = 0; i < count; i++)
        cr_assert_str_eq(thaw_parameter_name(thaw_model_parameter(model, i)), names[i]);
}

/* What PyTorch computes of a stack. */
static void read_output(int gru, float *values, size_t count)
{
    char wanted[32], *line = NULL;
    size_t capacity = 0;
    FILE *file = golden_open("recurrent.txt");
    snprintf(wanted, sizeof wanted, "case %s stack\n", kinds[gru]);
    while (getline(&line, &capacity, file) > 0 && strcmp(line, wanted) != 0)
        continue;
    free(line);
    golden_read(file, "output", values, count);
    fclose(file);
}

/* Two layers of two directions that are frozen: all of them, and what puts them together. */
Test(recurrent_stack, equals_pytorch_in_bfloat16)
{
    skip_without_bfloat16();
    thaw_context *context = support_context(2);
    for (int gru = 0; gru < 2; gru++) {
        float values[MOST], expected[MOST];
        const thaw_plan *plan;
        const thaw_precision precision = { .frozen = THAW_BF16, .emulated = true };
        thaw_model *model = stack_model(context, gru, &pair_of_pairs, false);
        load(model, gru);
        assert_ok(context, thaw_model_freeze(model, "*"));
        assert_ok(context, thaw_model_set_precision(model, &precision));
        assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH, .inference = true }, &plan));
        const thaw_plan_totals totals = thaw_plan_totals_of(plan);
        cr_assert_eq(totals.bfloat16_kernels, totals.forward_kernels);
        predict(model, values);
        read_output(gru, expected, BATCH * STEPS * 2 * UNITS);
        assert_close(values, expected, BATCH * STEPS * 2 * UNITS, 2 * BFLOAT16_TOLERANCE, kinds[gru]);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
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
    thaw_model *model = stack_model(context, 0, &pair_of_pairs, false);
    assert_names(model, names, THAW_COUNT(names));
    cr_assert_not_null(thaw_model_find_group(model, "rnn.l0_reverse"));
    const thaw_shape *weight = thaw_parameter_shape(thaw_model_find_parameter(model, "rnn.weight_ih_l1_reverse"));
    cr_assert(thaw_shape_equal(weight, &(thaw_shape){ 2, { 4 * UNITS, 2 * UNITS } }));
    thaw_model_destroy(model);
    model = stack_model(context, 1, &(thaw_recurrent_options){ .name = "rnn", .units = UNITS, .no_bias = true }, false);
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
    thaw_model *model = sequence_model(context);
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
    thaw_model *model = stack_model(context, 0, &(thaw_recurrent_options){ .name = "rnn", .units = 100 }, false);
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
        thaw_model *model = stack_model(context, gru, &two, true);
        assert_ok(context, take_step(model, &only_gradients, NULL));
        copy_gradients(model, full);
        for (unsigned subset = 1; subset < 256; subset++) {
            const float *expected = full;
            for (size_t i = 0; i < 8; i++)
                assert_ok(context, (subset >> i & 1 ? thaw_model_unfreeze
                                                    : thaw_model_freeze)(model, thaw_parameter_name(
                                                                                    thaw_model_parameter(model, i))));
            assert_ok(context, take_step(model, &only_gradients, NULL));
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
    thaw_model *model = stack_model(context, 0, &two, true);
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
    thaw_model *model = stack_model(context, gru, &options, true);
    for (int step = 0; step < 5; step++)
        assert_ok(context, take_step(model, NULL, NULL));
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
            cr_assert_eq(memcmp(first, second, count * sizeof *first), 0, "%s on %d threads", kinds[gru], threads);
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
        thaw_model *model = sequence_model(context);
        thaw_node states[2], node;
        thaw_optimizer *optimizer;
        const thaw_recurrent_options below = { .name = "below", .units = 3 };
        assert_ok(context, thaw_gru(model, 0, &below, &node)); /* [5, 3]: a state for each of 5 layers */
        states[0] = states[1] = node;
        assert_ok(context, append(model, gru, 0,
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
            assert_ok(context, take_step(model, NULL, &above));
            thaw_parameter_edit(p)[i] = kept - step;
            assert_ok(context, take_step(model, NULL, &beneath));
            thaw_parameter_edit(p)[i] = kept;
            assert_ok(context, take_step(model, NULL, NULL));
            const float slope = (float)((above.loss - beneath.loss) / 2 / (double)step);
            assert_close(&thaw_parameter_gradient(p)[i], &slope, 1, 1e-4, "slope");
        }
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}
