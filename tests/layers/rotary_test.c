#include <math.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 3 };

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    thaw_shape sample;
    thaw_rotary_options options;
} problem;

static const problem problems[] = {
    { "halves", { 2, { 4, 12 } }, { .heads = 2, .head_size = 6 } },
    { "interleaved", { 2, { 4, 12 } }, { .heads = 2, .head_size = 6, .interleaved = true } },
    { "packed", { 2, { 5, 24 } }, { .heads = 4, .head_size = 4, .base = 500 } },
    { "a part", { 2, { 3, 8 } }, { .heads = 1, .head_size = 8, .rotated = 4, .interleaved = true } },
    { NULL, { 2, { 70, 100 } }, { .heads = 3, .head_size = 32, .rotated = 18 } },
};

static layer open_layer(thaw_context *context, thaw_model **model, const problem *p, const layer_wish *wish)
{
    thaw_node node;
    *model = layer_model(context, p->sample.rank, p->sample.dims);
    assert_ok(context, thaw_rotary(*model, 0, &p->options, &node));
    layer_wish asked = *wish;
    asked.batch = BATCH;
    return layer_open(*model, &asked);
}

static double rotated(const problem *p, const float *row, size_t step, size_t feature, double direction)
{
    const size_t size = (size_t)p->options.head_size, place = feature % size;
    const size_t count = p->options.rotated ? (size_t)p->options.rotated : size;
    if (feature >= (size_t)p->options.heads * size || place >= count)
        return (double)row[feature];
    const bool second = p->options.interleaved ? place % 2 : place >= count / 2;
    const size_t pair = p->options.interleaved ? place / 2 : place % (count / 2);
    const size_t apart = p->options.interleaved ? 1 : count / 2, other = second ? feature - apart : feature + apart;
    const double base = p->options.base > 0 ? p->options.base : 10000;
    const double angle = direction * (double)step / pow(base, 2 * (double)pair / (double)count);
    return (double)row[feature] * cos(angle) + (second ? 1 : -1) * (double)row[other] * sin(angle);
}

static void check(const problem *p, const layer_wish *wish)
{
    static float inputs[1 << 15], slopes[1 << 15];
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_layer(context, &model, p, wish);
    const size_t steps = (size_t)p->sample.dims[0], width = (size_t)p->sample.dims[1];
    memcpy(inputs, l.inputs[0], l.input_size[0] * sizeof *inputs);
    memcpy(slopes, l.output_gradient, l.output_size * sizeof *slopes);
    layer_forward(&l);
    layer_backward(&l);
    const float *y = wish->in_place ? l.inputs[0] : l.output;
    const float *dx = wish->in_place ? l.output_gradient : l.input_gradients[0];
    for (size_t i = 0; i < l.output_size; i++) {
        const size_t row = i / width * width, step = i / width % steps;
        const float expected[] = { (float)rotated(p, inputs + row, step, i % width, 1),
                                   (float)rotated(p, slopes + row, step, i % width, -1) };
        const double tolerance = wish->bfloat16 ? BFLOAT16_TOLERANCE : 1e-6;
        assert_close(&y[i], &expected[0], 1, tolerance, "output");
        assert_close(&dx[i], &expected[1], 1, tolerance, "gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(rotary, turns_pairs_and_back)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        for (int in_place = 0; in_place < 2; in_place++)
            check(&problems[i], &(layer_wish){ .training = true, .input_gradients = true, .in_place = in_place });
}

Test(rotary, reads_and_writes_bfloat16)
{
    skip_without_bfloat16();
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i], &(layer_wish){ .training = true, .input_gradients = true, .bfloat16 = true });
}

Test(rotary, equals_pytorch)
{
    FILE *file = golden_open("rotary.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(problems) && problems[i].name; i++) {
        thaw_model *model;
        layer l = open_layer(context, &model, &problems[i], &(layer_wish){ .training = true, .input_gradients = true });
        layer_equals_golden(&l, file, problems[i].name, 1e-6);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(rotary, refuses_what_cannot_be)
{
    static const struct {
        thaw_rotary_options options;
        const char *text;
    } wrong[] = {
        { { .heads = 3, .head_size = 4 }, "heads is 3 and head_size 4, must be within the 8 features" },
        { { .heads = 0, .head_size = 4 }, "heads is 0" },
        { { .heads = 1, .head_size = 1 }, "head_size 1" },
        { { .heads = 1, .head_size = INT64_MAX }, "must be within" },
        { { .heads = 1, .head_size = 7 }, "7 features of a head of 7 are rotated, must be an even number" },
        { { .heads = 1, .head_size = 6, .rotated = 8 }, "8 features of a head of 6" },
        { { .heads = 1, .head_size = 6, .rotated = -2 }, "-2 features" },
        { { .heads = 1, .head_size = 6, .base = -1 }, "base is -1" },
        { { .heads = 1, .head_size = 6, .base = NAN }, "base is" },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 4, 8 });
    thaw_node node;
    for (size_t i = 0; i < THAW_COUNT(wrong); i++)
        assert_fails(context, thaw_rotary(model, 0, &wrong[i].options, &node), THAW_INVALID_ARGUMENT, wrong[i].text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
