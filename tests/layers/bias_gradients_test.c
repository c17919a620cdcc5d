/* Gradients of biases and shifts over many rows, which are sums of as many numbers, against sums in double precision; a
   sum in floats, one after the other, is off by 1e-5. */
#include <math.h>
#include <stdlib.h>

#include "kernels/bfloat16.h"
#include "layers/column_sum.h"
#include "support/layer.h"

static const double tolerance = 3e-7;

typedef thaw_status append(thaw_model *model, thaw_node *node);

typedef struct kind {
    const char *name;
    append *append;
    int rank;
    int64_t dims[3], batch;
} kind;

static thaw_status append_dense(thaw_model *model, thaw_node *node)
{
    return thaw_dense(model, *node, &(thaw_dense_options){ .units = 5 }, node);
}

static thaw_status append_wide_dense(thaw_model *model, thaw_node *node)
{
    return thaw_dense(model, *node, &(thaw_dense_options){ .units = 48 }, node);
}

static thaw_status append_pointwise(thaw_model *model, thaw_node *node)
{
    return thaw_conv2d(model, *node, &(thaw_conv2d_options){ .filters = 5, .kernel = { 1, 1 } }, node);
}

static thaw_status append_conv2d(thaw_model *model, thaw_node *node)
{
    return thaw_conv2d(model, *node, &(thaw_conv2d_options){ .filters = 32, .kernel = { 3, 3 }, .padding = { 1, 1 } },
                       node);
}

static thaw_status append_conv1d(thaw_model *model, thaw_node *node)
{
    return thaw_conv1d(model, *node, &(thaw_conv1d_options){ .filters = 7, .kernel = 3 }, node);
}

static thaw_status append_conv_transpose2d(thaw_model *model, thaw_node *node)
{
    const thaw_conv_transpose2d_options options = { .filters = 6, .kernel = { 2, 2 }, .stride = { 2, 2 } };
    return thaw_conv_transpose2d(model, *node, &options, node);
}

static thaw_status append_batch_norm(thaw_model *model, thaw_node *node)
{
    return thaw_batch_norm(model, *node, NULL, node);
}

static thaw_status append_layer_norm(thaw_model *model, thaw_node *node)
{
    return thaw_layer_norm(model, *node, NULL, node);
}

static thaw_status append_group_norm(thaw_model *model, thaw_node *node)
{
    return thaw_group_norm(model, *node, &(thaw_group_norm_options){ .groups = 2 }, node);
}

/* A hundred thousand rows each, in both dense layers once with few samples, and in images of one. */
static const kind kinds[] = {
    { "dense, many samples", append_dense, 1, { 64 }, 131072 },
    { "dense, many steps", append_dense, 2, { 4096, 3 }, 33 },
    { "dense, wide", append_wide_dense, 1, { 16 }, 60000 },
    { "dense, few samples", append_wide_dense, 1, { 200 }, 127 },
    { "conv2d, 1x1", append_pointwise, 3, { 64, 64, 3 }, 33 },
    { "conv2d, one channel", append_conv2d, 3, { 28, 28, 1 }, 128 },
    { "conv2d by Winograd", append_conv2d, 3, { 64, 64, 32 }, 25 },
    { "conv1d", append_conv1d, 2, { 2048, 4 }, 50 },
    { "conv_transpose2d", append_conv_transpose2d, 3, { 40, 40, 2 }, 17 },
    { "batch_norm", append_batch_norm, 3, { 50, 50, 6 }, 40 },
    { "layer_norm", append_layer_norm, 2, { 4096, 10 }, 25 },
    { "group_norm", append_group_norm, 3, { 50, 50, 6 }, 40 },
};

/* Of numbers that lie between 0 and 1. */
static void check_bias(const kind *k, bool weight_gradient)
{
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, k->rank, k->dims);
    thaw_node node = 0;
    assert_ok(context, k->append(model, &node));
    layer l =
        layer_open(model, &(layer_wish){
                              .batch = k->batch, .training = true, .parameter_gradient = { weight_gradient, true } });
    const size_t columns = l.parameter_size[1];
    double *sums = calloc(columns, sizeof *sums);
    for (size_t i = 0; i < l.output_size; i++) {
        l.output_gradient[i] = 0.5F + 0.5F * l.output_gradient[i];
        sums[i % columns] += (double)l.output_gradient[i];
    }
    layer_forward(&l);
    layer_backward(&l);
    for (size_t c = 0; c < columns; c++)
        cr_assert(fabs((double)l.parameter_gradients[1][c] - sums[c]) <= tolerance * sums[c],
                  "%s, element %zu: %.9g, wanted %.9g: off by %.1e", k->name, c, (double)l.parameter_gradients[1][c],
                  sums[c], fabs((double)l.parameter_gradients[1][c] / sums[c] - 1));
    free(sums);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(bias_gradients, are_sums_of_many_rows)
{
    for (size_t i = 0; i < THAW_COUNT(kinds); i++) {
        check_bias(&kinds[i], true);
        check_bias(&kinds[i], false);
    }
}

typedef thaw_status append_recurrent(thaw_model *model, thaw_node input, const thaw_recurrent_options *options,
                                     thaw_node *output);

enum { UNITS = 6, STEPS = 8, INPUTS = 3, WEIGHTS = 2, BIASES = 2 };

/* The biases' gradients over a batch of one sample again and again. */
static void sum_gates(append_recurrent *add, size_t batch, float *biases)
{
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ STEPS, INPUTS });
    thaw_node node = 0;
    assert_ok(context, add(model, node, &(thaw_recurrent_options){ .units = UNITS }, &node));
    layer l = layer_open(model, &(layer_wish){ .batch = (int64_t)batch,
                                               .training = true,
                                               .parameter_gradient = { true, true, true, true } });
    for (size_t k = 0; k < l.parameter_count; k++)
        support_fill(l.parameters[k], l.parameter_size[k], (uint32_t)k + 1);
    for (size_t n = 0; n < batch; n++) {
        support_fill(l.inputs[0] + n * STEPS * INPUTS, STEPS * INPUTS, 9);
        support_fill(l.output_gradient + n * (l.output_size / batch), l.output_size / batch, 10);
    }
    layer_forward(&l);
    layer_backward(&l);
    for (size_t k = 0; k < BIASES; k++)
        for (size_t i = 0; i < l.parameter_size[WEIGHTS + k]; i++)
            *biases++ = l.parameter_gradients[WEIGHTS + k][i];
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(bias_gradients, of_recurrent_layers_are_sums_of_many_rows)
{
    static append_recurrent *const appends[] = { thaw_lstm, thaw_gru };
    enum { GATES = 4, BATCH = 12000 };
    for (size_t k = 0; k < THAW_COUNT(appends); k++) {
        float one[BIASES * GATES * UNITS] = { 0 }, many[BIASES * GATES * UNITS] = { 0 };
        double largest = 0;
        sum_gates(appends[k], 1, one);
        sum_gates(appends[k], BATCH, many);
        for (size_t i = 0; i < THAW_COUNT(one); i++)
            largest = fmax(largest, fabs((double)one[i]));
        for (size_t i = 0; i < THAW_COUNT(one); i++)
            cr_assert(fabs((double)many[i] / BATCH - (double)one[i]) <= tolerance * largest,
                      "layer %zu, element %zu: %.9g, wanted %.9g", k, i, (double)many[i] / BATCH, (double)one[i]);
    }
}

/* Any number of columns and rows, in both precisions. */
Test(bias_gradients, column_sums_are_exact)
{
    static const size_t shapes[][2] = {
        { 1, 5 },      { 15, 7 },    { 16, 1 },    { 17, 3 },    { 100003, 5 },
        { 40000, 10 }, { 5000, 64 }, { 3000, 63 }, { 999, 130 },
    };
    for (size_t k = 0; k < 2 * THAW_COUNT(shapes); k++) {
        const size_t rows = shapes[k / 2][0], columns = shapes[k / 2][1], count = rows * columns;
        const bool bf16 = k % 2;
        float *values = malloc(count * sizeof *values), *found = malloc(columns * sizeof *found);
        thaw_bfloat16 *rounded = malloc(count * sizeof *rounded);
        double *sums = calloc(columns, sizeof *sums), *sizes = calloc(columns, sizeof *sizes);
        support_fill(values, count, (uint32_t)k);
        for (size_t i = 0; i < count; i++) {
            rounded[i] = thaw_bfloat16_round(values[i]);
            const double value = (double)(bf16 ? thaw_bfloat16_widen(rounded[i]) : values[i]);
            sums[i % columns] += value;
            sizes[i % columns] += fabs(value);
        }
        thaw_context *context = support_context(2);
        void *scratch = thaw_allocate(context, thaw_column_sum_scratch_bytes(rows, columns));
        thaw_column_sum(context, rows, columns, bf16 ? THAW_BF16 : THAW_F32,
                        bf16 ? (const void *)rounded : (const void *)values, found, scratch);
        for (size_t c = 0; c < columns; c++)
            cr_assert(fabs((double)found[c] - sums[c]) <= tolerance * sizes[c],
                      "%zu rows, column %zu of %zu: %g, not %g", rows, c, columns, (double)found[c], sums[c]);
        thaw_release(context, scratch);
        thaw_context_destroy(context);
        free(sizes);
        free(sums);
        free(rounded);
        free(found);
        free(values);
    }
}

/* The mean of many, too. */
Test(bias_gradients, a_global_mean_is_exact)
{
    enum { SIDE = 64, CHANNELS = 5, BATCH = 33, AREA = SIDE * SIDE };
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ SIDE, SIDE, CHANNELS });
    thaw_node node = 0;
    assert_ok(context, thaw_global_average_pool2d(model, node, NULL, &node));
    layer l = layer_open(model, &(layer_wish){ .batch = BATCH });
    for (size_t i = 0; i < l.input_size[0]; i++)
        l.inputs[0][i] = 0.5F + 0.5F * l.inputs[0][i];
    layer_forward(&l);
    for (size_t n = 0; n < BATCH; n++)
        for (size_t c = 0; c < CHANNELS; c++) {
            double sum = 0;
            for (size_t i = 0; i < AREA; i++)
                sum += (double)l.inputs[0][(n * AREA + i) * CHANNELS + c];
            const double found = (double)l.output[n * CHANNELS + c];
            cr_assert(fabs(found - sum / AREA) <= tolerance * sum / AREA, "sample %zu: %.9g, wanted %.9g, off by %.1e",
                      n, found, sum / AREA, fabs(found / (sum / AREA) - 1));
        }
    layer_close(&l, model);
    thaw_context_destroy(context);
}
