/* LSTM and GRU beside PyTorch: a layer, and stacks of two layers and two directions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers/recurrent_stack.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/recurrent.h"

enum {
    BATCH = RECURRENT_BATCH,
    STEPS = RECURRENT_STEPS,
    FEATURES = RECURRENT_FEATURES,
    UNITS = RECURRENT_UNITS,
    MOST = RECURRENT_MOST
};

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
    snprintf(settings, sizeof settings, "%s layer", recurrent_kinds[gru]);
    golden_case(file, settings);
    check_golden(file, "output", l.output, l.output_size);
    for (size_t k = 0; k < l.input_count; k++)
        check_golden(file, inputs[k], l.input_gradients[k], l.input_size[k]);
    for (size_t k = 0; k < 4; k++)
        check_golden(file, parameters[k], l.parameter_gradients[k], l.parameter_size[k]);
    layer_close(&l, model);
}
static void load(thaw_model *model, int gru)
{
    char path[SUPPORT_PATH_BYTES], name[32];
    snprintf(name, sizeof name, "%s.safetensors", recurrent_kinds[gru]);
    assert_ok(thaw_model_context(model), thaw_weights_load(model, support_golden(path, name), NULL, NULL));
}

static void check_stack(FILE *file, thaw_context *context, int gru)
{
    char settings[32];
    float values[MOST], loss;
    thaw_step_result result;
    thaw_recurrent_options last = recurrent_pair_of_pairs;
    last.last_only = true;
    thaw_model *model = recurrent_stack(context, gru, &recurrent_pair_of_pairs, true);
    thaw_model *last_model = recurrent_stack(context, gru, &last, false);
    snprintf(settings, sizeof settings, "%s stack", recurrent_kinds[gru]);
    golden_case(file, settings);
    load(model, gru);
    load(last_model, gru);
    predict(model, values);
    check_golden(file, "output", values, BATCH * STEPS * 2 * UNITS);
    predict(last_model, values);
    check_golden(file, "last", values, BATCH * 2 * UNITS);
    assert_ok(context, recurrent_step(model, &(thaw_step_options){ .gradients_only = true }, &result));
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

Test(recurrent_golden, equals_pytorch)
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

/* What PyTorch computes of a stack. */
static void read_output(int gru, float *values, size_t count)
{
    char wanted[32], *line = NULL;
    size_t capacity = 0;
    FILE *file = golden_open("recurrent.txt");
    snprintf(wanted, sizeof wanted, "case %s stack\n", recurrent_kinds[gru]);
    while (getline(&line, &capacity, file) > 0 && strcmp(line, wanted) != 0)
        continue;
    free(line);
    golden_read(file, "output", values, count);
    fclose(file);
}

/* Two layers of two directions that are frozen: all of them, and what puts them together. */
Test(recurrent_golden, equals_pytorch_in_bfloat16)
{
    skip_without_bfloat16();
    thaw_context *context = support_context(2);
    for (int gru = 0; gru < 2; gru++) {
        float values[MOST], expected[MOST];
        const thaw_plan *plan;
        const thaw_precision precision = { .frozen = THAW_BF16, .emulated = true };
        thaw_model *model = recurrent_stack(context, gru, &recurrent_pair_of_pairs, false);
        load(model, gru);
        assert_ok(context, thaw_model_freeze(model, "*"));
        assert_ok(context, thaw_model_set_precision(model, &precision));
        assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = BATCH, .inference = true }, &plan));
        const thaw_plan_totals totals = thaw_plan_totals_of(plan);
        cr_assert_eq(totals.bfloat16_kernels, totals.forward_kernels);
        predict(model, values);
        read_output(gru, expected, BATCH * STEPS * 2 * UNITS);
        assert_close(values, expected, BATCH * STEPS * 2 * UNITS, 2 * BFLOAT16_TOLERANCE, recurrent_kinds[gru]);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}
