#include <math.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 3 };

static layer open_layer(thaw_context *context, thaw_model **model, int64_t steps, int64_t width, const float *lengths,
                        bool bfloat16)
{
    thaw_node node, given;
    *model = layer_model(context, 2, (const int64_t[]){ steps, width });
    if (lengths)
        assert_ok(context,
                  thaw_constant(*model, &(thaw_constant_options){ .shape = { 1, { 1 } }, .values = (float[]){ 1 } },
                                &given));
    const thaw_sequence_mean_options options = { .lengths = lengths ? &given : NULL };
    assert_ok(context, thaw_sequence_mean(*model, 0, &options, &node));
    layer l = layer_open(*model, &(layer_wish){ .batch = BATCH,
                                                .training = true,
                                                .input_gradients = true,
                                                .frozen_inputs = 2,
                                                .bfloat16 = bfloat16 });
    if (lengths)
        memcpy(l.inputs[1], lengths, BATCH * sizeof *lengths);
    return l;
}

static void check(int64_t steps, int64_t width, const float *lengths, bool bfloat16)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_layer(context, &model, steps, width, lengths, bfloat16);
    const double tolerance = bfloat16 ? BFLOAT16_TOLERANCE : 1e-6;
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < l.output_size; i++) {
        const size_t n = i / (size_t)width, c = i % (size_t)width;
        const size_t length = lengths ? (size_t)lengths[n] : (size_t)steps;
        double sum = 0;
        for (size_t t = 0; t < (size_t)steps; t++) {
            const size_t at = (n * (size_t)steps + t) * (size_t)width + c;
            const float slope = t < length ? l.output_gradient[i] / (float)length : 0;
            sum += t < length ? (double)l.inputs[0][at] : 0;
            assert_close(&l.input_gradients[0][at], &slope, 1, tolerance, "gradient");
        }
        const float expected = length ? (float)(sum / (double)length) : 0;
        assert_close(&l.output[i], &expected, 1, tolerance, "output");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(sequence_mean, takes_the_steps_that_count)
{
    check(1, 1, NULL, false);
    check(9, 33, NULL, false);
    check(9, 33, (const float[]){ 9, 1, 5 }, false);
    check(300, 70, (const float[]){ 299, 0, 17 }, false);
}

Test(sequence_mean, reads_and_writes_bfloat16)
{
    check(9, 33, NULL, true);
    check(300, 33, (const float[]){ 257, 0, 300 }, true); /* 257 is not a number of bfloat16 */
}

Test(sequence_mean, equals_pytorch)
{
    const float lengths[BATCH] = { 2, 4, 1 };
    FILE *file = golden_open("sequence_mean.txt");
    thaw_context *context = support_context(2);
    for (int given = 0; given < 2; given++) {
        thaw_model *model;
        layer l = open_layer(context, &model, 4, 5, given ? lengths : NULL, false);
        layer_equals_golden(&l, file, given ? "lengths" : "all", 1e-6);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

/* Lengths as samples: the network is the mean of a constant. */
Test(sequence_mean, refuses_lengths_outside_the_sequence)
{
    static const float numbers[] = { 1, 2, 3, 4 };
    const float wrong[] = { -1, 5, 1.5F, NAN };
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 1 });
    thaw_node lengths = 0, node;
    assert_ok(context,
              thaw_constant(model, &(thaw_constant_options){ .shape = { 2, { 4, 1 } }, .values = numbers }, &node));
    assert_ok(context, thaw_sequence_mean(model, node, &(thaw_sequence_mean_options){ .lengths = &lengths }, &node));
    float result = 0;
    const thaw_tensor output = thaw_view_f32(&result, 2, (int64_t[]){ 1, 1 });
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        const thaw_tensor input = thaw_view_f32(&wrong[i], 2, (int64_t[]){ 1, 1 });
        assert_fails(context, thaw_predict(model, &input, &output), THAW_INVALID_ARGUMENT,
                     "must be a whole number from 0 to 4");
    }
    const thaw_tensor input = thaw_view_f32((const float[]){ 3 }, 2, (int64_t[]){ 1, 1 });
    assert_ok(context, thaw_predict(model, &input, &output));
    cr_assert(result == 2);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(sequence_mean, refuses_other_shapes)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 3 });
    thaw_node node;
    assert_fails(context, thaw_sequence_mean(model, 0, NULL, &node), THAW_SHAPE_MISMATCH, "[3], must be a sequence");
    thaw_model_destroy(model);
    model = layer_model(context, 2, (const int64_t[]){ 3, 2 });
    const thaw_node lengths = 0;
    assert_fails(context, thaw_sequence_mean(model, 0, &(thaw_sequence_mean_options){ .lengths = &lengths }, &node),
                 THAW_SHAPE_MISMATCH, "the lengths have shape [3, 2], must be one number");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
