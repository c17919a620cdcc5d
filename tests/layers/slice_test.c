#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 3 };

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    thaw_shape sample;
    thaw_slice_options options;
} problem;

static const problem problems[] = {
    { "first token", { 2, { 5, 4 } }, { .axis = 0, .count = 1, .squeeze = true } },
    { "middle", { 2, { 5, 4 } }, { .axis = 0, .begin = 2, .count = 2 } },
    { "channels", { 3, { 3, 2, 6 } }, { .axis = -1, .begin = -4 } },
    { NULL, { 1, { 7 } }, { .axis = 0, .begin = 3, .count = 2 } },
    { NULL, { 1, { 7 } }, { .axis = 0, .begin = -1, .squeeze = true } },
    { NULL, { 3, { 5, 7, 3 } }, { .axis = 1, .begin = 1, .count = 5 } },
    { NULL, { 3, { 5, 7, 3 } }, { .axis = -2, .begin = 6, .squeeze = true } },
    { NULL, { 3, { 150, 40, 9 } }, { .axis = 2, .begin = 2, .count = 3 } },
};

static layer open_slice(thaw_context *context, thaw_model **model, const problem *p)
{
    thaw_node node;
    *model = layer_model(context, p->sample.rank, p->sample.dims);
    assert_ok(context, thaw_slice(*model, 0, &p->options, &node));
    return layer_open(*model, &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true });
}

/* Goes through the input's elements: those of the part come in the same order in the output. */
static void check(const problem *p)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_slice(context, &model, p);
    const int axis = p->options.axis < 0 ? p->options.axis + p->sample.rank : p->options.axis;
    const int64_t size = p->sample.dims[axis];
    const int64_t begin = p->options.begin < 0 ? p->options.begin + size : p->options.begin;
    const int64_t end = p->options.count ? begin + p->options.count : size;
    size_t within = 1, found = 0;
    for (int i = axis + 1; i < p->sample.rank; i++)
        within *= (size_t)p->sample.dims[i];
    layer_forward(&l);
    layer_backward(&l);
    for (size_t i = 0; i < l.input_size[0]; i++) {
        const int64_t index = (int64_t)(i / within) % size;
        const bool taken = index >= begin && index < end;
        cr_assert(!taken || l.output[found] == l.inputs[0][i], "output %zu", found);
        cr_assert(l.input_gradients[0][i] == (taken ? l.output_gradient[found] : 0), "gradient %zu", i);
        found += taken;
    }
    cr_assert_eq(found, l.output_size);
    cr_assert_eq(thaw_model_node_shape(model, 1)->rank, p->sample.rank - p->options.squeeze);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(slice, takes_a_part_and_gives_the_rest_no_gradient)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++)
        check(&problems[i]);
}

Test(slice, equals_pytorch)
{
    FILE *file = golden_open("slice.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(problems) && problems[i].name; i++) {
        thaw_model *model;
        layer l = open_slice(context, &model, &problems[i]);
        layer_equals_golden(&l, file, problems[i].name, 1e-7);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

Test(slice, of_everything_is_the_identity)
{
    thaw_context *context = support_context(1);
    thaw_model *model;
    const problem whole = { .sample = { 2, { 4, 3 } }, .options = { .axis = 0 } };
    layer l = open_slice(context, &model, &whole);
    cr_assert(l.needs.identity);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(slice, refuses_what_is_not_within_the_input)
{
    static const struct {
        thaw_slice_options options;
        const char *text;
    } wrong[] = {
        { { .axis = 2 }, "axis is 2 for shape [4, 3], must be from -2 to 1" },
        { { .axis = -3 }, "axis is -3" },
        { { .begin = 4 }, "begin is 4 and count 0, must be within the 4 of axis 0 of shape [4, 3]" },
        { { .begin = -5 }, "begin is -5" },
        { { .begin = 2, .count = 3 }, "count 3" },
        { { .begin = 1, .count = INT64_MAX }, "must be within" },
        { { .begin = INT64_MIN }, "must be within" },
        { { .count = -1 }, "must be within" },
        { { .count = 2, .squeeze = true }, "count is 2, must be 1 to squeeze" },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 4, 3 });
    thaw_node node;
    for (size_t i = 0; i < THAW_COUNT(wrong); i++)
        assert_fails(context, thaw_slice(model, 0, &wrong[i].options, &node), THAW_INVALID_ARGUMENT, wrong[i].text);
    cr_assert_eq(thaw_model_node_count(model), 1);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
