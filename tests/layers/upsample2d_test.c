#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 3, MOST = 20000 };

typedef struct resizing {
    thaw_upsampling mode;
    bool align_corners;
    int64_t before[2], after[2], channels;
} resizing;

static layer open_upsample(thaw_context *context, thaw_model **model, const resizing *r, bool by_scale,
                           const layer_wish *wish)
{
    thaw_node node = 0;
    *model = layer_model(context, 3, (const int64_t[]){ r->before[0], r->before[1], r->channels });
    thaw_upsample2d_options options = { .mode = r->mode, .align_corners = r->align_corners };
    for (int i = 0; i < 2; i++) {
        if (by_scale)
            options.scale[i] = r->after[i] / r->before[i];
        else
            options.size[i] = r->after[i];
    }
    assert_ok(context, thaw_upsample2d(*model, node, &options, &node));
    const thaw_shape *shape = thaw_model_node_shape(*model, node);
    cr_assert(shape->dims[0] == r->after[0] && shape->dims[1] == r->after[1] && shape->dims[2] == r->channels);
    return layer_open(*model, wish);
}

/* How much of input place `from` is in output place `to`, along one dimension: a hat around the place that the output
   stands at, or a box for the nearest. */
static double share(const resizing *r, int axis, int64_t from, int64_t to)
{
    const int64_t before = r->before[axis], after = r->after[axis];
    if (r->mode == THAW_UPSAMPLE_NEAREST)
        return to * before / after == from;
    double place = ((double)to + 0.5) * (double)before / (double)after - 0.5;
    if (r->align_corners)
        place = after > 1 ? (double)to * (double)(before - 1) / (double)(after - 1) : 0;
    place = fmin(fmax(place, 0), (double)(before - 1));
    return fmax(0, 1 - fabs(place - (double)from));
}

static void check(const resizing *r, bool by_scale, int threads)
{
    static double gradient[MOST];
    static float expected[MOST];
    thaw_context *context = support_context(threads);
    thaw_model *model;
    layer l = open_upsample(context, &model, r, by_scale,
                            &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true });
    cr_assert(!l.needs.keeps_inputs && !l.needs.keeps_output && !l.needs.in_place);
    memset(gradient, 0, sizeof gradient);
    size_t at = 0;
    for (int64_t n = 0; n < BATCH; n++)
        for (int64_t y = 0; y < r->after[0]; y++)
            for (int64_t x = 0; x < r->after[1]; x++)
                for (int64_t c = 0; c < r->channels; c++, at++) {
                    double sum = 0;
                    for (int64_t v = 0; v < r->before[0]; v++)
                        for (int64_t u = 0; u < r->before[1]; u++) {
                            const double factor = share(r, 0, v, y) * share(r, 1, u, x);
                            const size_t from = (size_t)(((n * r->before[0] + v) * r->before[1] + u) * r->channels + c);
                            sum += factor * (double)l.inputs[0][from];
                            gradient[from] += factor * (double)l.output_gradient[at];
                        }
                    expected[at] = (float)sum;
                }
    layer_forward(&l);
    assert_close(l.output, expected, l.output_size, 2e-5, "output");
    layer_backward(&l);
    for (size_t i = 0; i < l.input_size[0]; i++)
        expected[i] = (float)gradient[i];
    assert_close(l.input_gradients[0], expected, l.input_size[0], 5e-5, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

/* Where places fall between those of the input: floats and doubles then agree on the nearest. */
static const int64_t sizes[][4] = { { 3, 5, 3, 5 },   { 3, 5, 6, 10 }, { 1, 1, 4, 3 },  { 2, 3, 8, 3 },
                                    { 5, 7, 8, 9 },   { 6, 8, 3, 4 },  { 9, 5, 2, 1 },  { 1, 11, 5, 22 },
                                    { 4, 4, 12, 16 }, { 7, 3, 1, 1 },  { 2, 2, 17, 19 } };

Test(upsample2d, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(sizes); i++) {
        const int64_t *s = sizes[i];
        for (int64_t channels = 1; channels < 12; channels += 5) {
            resizing r = { .before = { s[0], s[1] }, .after = { s[2], s[3] }, .channels = channels };
            const bool by_scale = s[2] % s[0] == 0 && s[3] % s[1] == 0;
            for (int scaled = 0; scaled <= by_scale; scaled++) {
                r.mode = THAW_UPSAMPLE_NEAREST;
                check(&r, scaled, 1 + scaled);
                r.mode = THAW_UPSAMPLE_BILINEAR;
                check(&r, scaled, 1);
                r.align_corners = true;
                check(&r, scaled, 2);
                r.align_corners = false;
            }
        }
    }
}

Test(upsample2d, equals_pytorch)
{
    static const resizing given[] = {
        { THAW_UPSAMPLE_NEAREST, false, { 3, 4 }, { 6, 12 }, 2 },
        { THAW_UPSAMPLE_NEAREST, false, { 3, 4 }, { 5, 7 }, 2 },
        { THAW_UPSAMPLE_NEAREST, false, { 5, 7 }, { 3, 4 }, 2 },
        { THAW_UPSAMPLE_BILINEAR, false, { 3, 4 }, { 6, 8 }, 2 },
        { THAW_UPSAMPLE_BILINEAR, true, { 3, 4 }, { 6, 8 }, 2 },
        { THAW_UPSAMPLE_BILINEAR, false, { 3, 4 }, { 5, 3 }, 2 },
        { THAW_UPSAMPLE_BILINEAR, true, { 3, 4 }, { 5, 3 }, 2 },
        { THAW_UPSAMPLE_BILINEAR, true, { 1, 4 }, { 3, 1 }, 2 },
        { THAW_UPSAMPLE_BILINEAR, false, { 1, 4 }, { 3, 1 }, 2 },
        { THAW_UPSAMPLE_BILINEAR, false, { 2, 2 }, { 6, 6 }, 2 },
    };
    FILE *file = golden_open("upsample.txt");
    thaw_context *context = support_context(2);
    float expected[BATCH * 6 * 12 * 2];
    for (size_t i = 0; i < THAW_COUNT(given); i++) {
        const bool nearest = given[i].mode == THAW_UPSAMPLE_NEAREST;
        char title[32];
        thaw_model *model;
        layer l = open_upsample(context, &model, &given[i], false,
                                &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true });
        snprintf(title, sizeof title, "%s %d", nearest ? "nearest" : "bilinear", given[i].align_corners);
        layer_forward(&l);
        layer_backward(&l);
        golden_case(file, title);
        golden_read(file, "output", expected, l.output_size);
        assert_close(l.output, expected, l.output_size, 1e-6, title);
        golden_read(file, "gradient", expected, l.input_size[0]);
        assert_close(l.input_gradients[0], expected, l.input_size[0], 1e-6, title);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

/* Linear in its input: differences are exact but for rounding. */
Test(upsample2d, gradient_matches_finite_differences)
{
    const resizing r = { THAW_UPSAMPLE_BILINEAR, true, { 3, 4 }, { 5, 7 }, 3 };
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_upsample(context, &model, &r, false,
                            &(layer_wish){ .batch = 2, .training = true, .input_gradients = true });
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < l.input_size[0]; i++) {
        double sums[2] = { 0 };
        const float kept = l.inputs[0][i];
        for (int side = 0; side < 2; side++) {
            l.inputs[0][i] = kept + (side ? 1.0F : -1.0F);
            layer_forward(&l);
            for (size_t k = 0; k < l.output_size; k++)
                sums[side] += (double)l.output[k] * (double)l.output_gradient[k];
        }
        l.inputs[0][i] = kept;
        const float slope = (float)((sums[1] - sums[0]) / 2);
        assert_close(&l.input_gradients[0][i], &slope, 1, 1e-5, "gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(upsample2d, refuses_odd_options)
{
    static const struct {
        thaw_upsample2d_options options;
        thaw_status status;
        const char *text;
    } refused[] = {
        { { .mode = THAW_UPSAMPLE_NEAREST }, THAW_INVALID_ARGUMENT, "either scale or size" },
        { { .scale = { 2, 2 }, .size = { 4, 4 } }, THAW_INVALID_ARGUMENT, "either scale or size" },
        { { .scale = { 2, 0 } }, THAW_INVALID_ARGUMENT, "either scale or size" },
        { { .scale = { 2, -1 } }, THAW_INVALID_ARGUMENT, "either scale or size" },
        { { .size = { -4, 4 } }, THAW_INVALID_ARGUMENT, "either scale or size" },
        { { .size = { 0, 4 } }, THAW_INVALID_ARGUMENT, "either scale or size" },
        { { .size = { 4, 4 }, .mode = (thaw_upsampling)7 }, THAW_INVALID_ARGUMENT, "mode is 7" },
        { { .size = { 4, 4 }, .align_corners = true }, THAW_INVALID_ARGUMENT, "align_corners" },
        { { .scale = { INT64_MAX, 2 } }, THAW_SHAPE_MISMATCH, "too large" },
        { { .size = { INT64_MAX / 2, INT64_MAX / 2 } }, THAW_SHAPE_MISMATCH, "too large" },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 3, 4, 2 });
    thaw_node node;
    for (size_t i = 0; i < THAW_COUNT(refused); i++) {
        assert_fails(context, thaw_upsample2d(model, 0, &refused[i].options, &node), refused[i].status,
                     refused[i].text);
        cr_assert_eq(thaw_model_node_count(model), 1);
    }
    assert_ok(context, thaw_flatten(model, 0, NULL, &node));
    assert_fails(context, thaw_upsample2d(model, node, &(thaw_upsample2d_options){ .scale = { 2, 2 } }, &node),
                 THAW_SHAPE_MISMATCH, "[24], must be [height, width, channels]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
