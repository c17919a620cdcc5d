#include <math.h>

#include "support/golden.h"
#include "support/layer.h"
#include "support/layer_slope.h"

enum { BATCH = 3 };

static layer open_layer(thaw_context *context, thaw_model **model, const thaw_shape *sample)
{
    thaw_node node;
    *model = layer_model(context, sample->rank, sample->dims);
    assert_ok(context, thaw_l2_normalise(*model, 0, NULL, &node));
    return layer_open(*model, &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true });
}

Test(l2_normalise, gives_rows_of_length_one)
{
    static const thaw_shape samples[] = { { 1, { 5 } }, { 1, { 1 } }, { 2, { 9, 1100 } } };
    thaw_context *context = support_context(2);
    for (size_t k = 0; k < THAW_COUNT(samples); k++) {
        thaw_model *model;
        layer l = open_layer(context, &model, &samples[k]);
        const size_t columns = (size_t)samples[k].dims[samples[k].rank - 1];
        layer_forward(&l);
        for (size_t i = 0; i < l.output_size; i++) {
            double squares = 0;
            for (size_t c = 0; c < columns; c++)
                squares += pow((double)l.inputs[0][i / columns * columns + c], 2);
            const float expected = (float)((double)l.inputs[0][i] / sqrt(squares));
            assert_close(&l.output[i], &expected, 1, 1e-6, "output");
        }
        layer_close(&l, model);
    }
    thaw_context_destroy(context);
}

Test(l2_normalise, gradient_matches_finite_differences)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_layer(context, &model, &(thaw_shape){ 2, { 2, 7 } });
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < l.input_size[0]; i++) {
        const float slope = layer_slope(&l, &l.inputs[0][i], 1e-2F);
        assert_close(&l.input_gradients[0][i], &slope, 1, 2e-3, "gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

/* Where the norm is below 1e-12, that number is in its place, and the gradient is the output's, as large. */
Test(l2_normalise, bears_rows_of_zeros)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_layer(context, &model, &(thaw_shape){ 1, { 4 } });
    for (size_t i = 0; i < l.input_size[0]; i++)
        l.inputs[0][i] = i < 4 ? 0 : 1e-14F;
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < l.output_size; i++) {
        const float expected[] = { i < 4 ? 0 : 1e-2F, l.output_gradient[i] * 1e12F };
        assert_close(&l.output[i], &expected[0], 1, 1e-6, "output");
        assert_close(&l.input_gradients[0][i], &expected[1], 1, 1e-6, "gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(l2_normalise, equals_pytorch)
{
    static const char *const names[] = { "vector", "sequence" };
    static const thaw_shape samples[] = { { 1, { 5 } }, { 2, { 3, 17 } } };
    FILE *file = golden_open("l2_normalise.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(samples); i++) {
        thaw_model *model;
        layer l = open_layer(context, &model, &samples[i]);
        layer_equals_golden(&l, file, names[i], 1e-6);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}
