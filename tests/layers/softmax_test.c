/* Softmax and its logarithm over the last axis. */
#include <math.h>
#include <stdio.h>

#include "support/golden.h"
#include "support/layer_slope.h"

enum { BATCH = 3, MOST = BATCH * 600 };

typedef struct variant {
    const char *name;
    thaw_status (*append)(thaw_model *model, thaw_node input, const thaw_simple_options *options, thaw_node *output);
    bool logarithm;
} variant;

static const variant variants[] = { { "softmax", thaw_softmax, false }, { "log_softmax", thaw_log_softmax, true } };

static const thaw_shape shapes[] = { { 1, { 1 } },     { 1, { 5 } },       { 1, { 599 } },
                                     { 2, { 4, 17 } }, { 3, { 5, 3, 7 } }, { 3, { 2, 16, 16 } } };

static layer open_softmax(thaw_context *context, thaw_model **model, const variant *v, const thaw_shape *shape,
                          const layer_wish *wish)
{
    thaw_node node = 0;
    *model = layer_model(context, shape->rank, shape->dims);
    assert_ok(context, v->append(*model, node, NULL, &node));
    layer l = layer_open(*model, wish);
    for (size_t i = 0; i < l.input_size[0]; i++)
        l.inputs[0][i] *= 4;
    return l;
}

/* Values and gradient in double precision. */
static void compute_row(const variant *v, const float *x, const float *slopes, size_t count, float *output,
                        float *gradient)
{
    double most = -INFINITY, sum = 0, total = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, (double)x[i]);
    for (size_t i = 0; i < count; i++)
        sum += exp((double)x[i] - most);
    for (size_t i = 0; i < count; i++) {
        const double p = exp((double)x[i] - most) / sum;
        output[i] = (float)(v->logarithm ? (double)x[i] - most - log(sum) : p);
        total += (double)slopes[i] * (v->logarithm ? 1 : p);
    }
    for (size_t i = 0; i < count; i++) {
        const double p = exp((double)x[i] - most) / sum;
        gradient[i] = (float)(v->logarithm ? (double)slopes[i] - p * total : p * ((double)slopes[i] - total));
    }
}

static void check(const variant *v, const thaw_shape *shape, bool training, bool in_place, int threads)
{
    thaw_context *context = support_context(threads);
    thaw_model *model;
    float output[MOST], gradient[MOST], none[MOST] = { 0 };
    layer l =
        open_softmax(context, &model, v, shape,
                     &(layer_wish){
                         .batch = BATCH, .training = training, .in_place = in_place, .input_gradients = training });
    const size_t columns = (size_t)shape->dims[shape->rank - 1];
    cr_assert_eq(l.needs.in_place, !v->logarithm);
    cr_assert(l.needs.gradient_in_place && !l.needs.keeps_inputs);
    cr_assert_eq(l.needs.keeps_output, training);
    for (size_t i = 0; i < l.output_size; i += columns)
        compute_row(v, l.inputs[0] + i, training ? l.output_gradient + i : none, columns, output + i, gradient + i);
    layer_forward(&l);
    assert_close(in_place ? l.inputs[0] : l.output, output, l.output_size, 1e-6, v->name);
    if (training) {
        layer_backward(&l);
        assert_close(in_place ? l.output_gradient : l.input_gradients[0], gradient, l.output_size, 5e-6, "gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(softmax, matches_the_definition)
{
    for (size_t v = 0; v < THAW_COUNT(variants); v++)
        for (size_t i = 0; i < THAW_COUNT(shapes); i++)
            for (unsigned how = 0; how < 8; how++)
                if (!variants[v].logarithm || !(how & 2))
                    check(&variants[v], &shapes[i], how & 1, how & 2, how & 4 ? 2 : 1);
}

Test(softmax, gradients_match_finite_differences)
{
    for (size_t v = 0; v < THAW_COUNT(variants); v++) {
        thaw_context *context = support_context(2);
        thaw_model *model;
        layer l = open_softmax(context, &model, &variants[v], &(thaw_shape){ 2, { 3, 7 } },
                               &(layer_wish){ .batch = 2, .training = true, .input_gradients = true });
        layer_forward(&l);
        layer_backward(&l);
        for (size_t i = 0; i < l.input_size[0]; i++) {
            const float slope = layer_slope(&l, &l.inputs[0][i], 0x1p-7F);
            assert_close(&l.input_gradients[0][i], &slope, 1, 2e-4, variants[v].name);
        }
        layer_close(&l, model);
        thaw_context_destroy(context);
    }
}

Test(softmax, equals_pytorch)
{
    static const thaw_shape given[] = { { 1, { 5 } }, { 1, { 1 } }, { 3, { 2, 3, 7 } }, { 2, { 4, 17 } } };
    FILE *file = golden_open("softmax.txt");
    thaw_context *context = support_context(2);
    float expected[BATCH * 68];
    for (size_t i = 0; i < THAW_COUNT(given); i++) {
        for (size_t v = 0; v < THAW_COUNT(variants); v++) {
            thaw_model *model;
            layer l = open_softmax(context, &model, &variants[v], &given[i],
                                   &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true });
            layer_forward(&l);
            layer_backward(&l);
            golden_case(file, variants[v].name);
            golden_read(file, "output", expected, l.output_size);
            assert_close(l.output, expected, l.output_size, 2e-6, "output");
            golden_read(file, "gradient", expected, l.output_size);
            assert_close(l.input_gradients[0], expected, l.output_size, 5e-6, "gradient");
            layer_close(&l, model);
        }
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(softmax, is_finite_for_any_logits)
{
    const float wild[] = { 1e30F, -1e30F, 0, 88, -104, 1e30F, 3, -3 };
    for (size_t v = 0; v < THAW_COUNT(variants); v++) {
        for (size_t shift = 0; shift < 8; shift++) {
            thaw_context *context = support_context(1);
            thaw_model *model;
            layer l = open_softmax(context, &model, &variants[v], &(thaw_shape){ 1, { 4 } },
                                   &(layer_wish){ .training = true, .input_gradients = true });
            float output[4], gradient[4];
            for (size_t i = 0; i < 4; i++)
                l.inputs[0][i] = wild[(i + shift) % 8];
            compute_row(&variants[v], l.inputs[0], l.output_gradient, 4, output, gradient);
            layer_forward(&l);
            layer_backward(&l);
            for (size_t i = 0; i < 4; i++)
                cr_assert(isfinite(l.output[i]) && isfinite(l.input_gradients[0][i]), "shift %zu", shift);
            assert_close(l.output, output, 4, 2e-6, "output");
            assert_close(l.input_gradients[0], gradient, 4, 2e-6, "gradient");
            layer_close(&l, model);
            thaw_context_destroy(context);
        }
    }
}

Test(softmax, refuses_a_number)
{
    const float one = 1;
    for (size_t v = 0; v < THAW_COUNT(variants); v++) {
        thaw_context *context = support_context(1);
        thaw_model *model = layer_model(context, 1, (const int64_t[]){ 1 });
        thaw_node node;
        assert_ok(context, thaw_constant(model, &(thaw_constant_options){ .values = &one }, &node));
        assert_fails(context, variants[v].append(model, node, NULL, &node), THAW_SHAPE_MISMATCH,
                     "at least 1 dimension");
        thaw_model_destroy(model);
        thaw_context_destroy(context);
    }
}
