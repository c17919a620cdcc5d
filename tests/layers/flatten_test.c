#include "support/layer.h"

enum { BATCH = 3, HEIGHT = 4, WIDTH = 5, CHANNELS = 7, SAMPLE = HEIGHT * WIDTH * CHANNELS };

static layer open_flatten(thaw_context *context, thaw_model **model, int rank, const int64_t *dims, bool training)
{
    thaw_node node = 0;
    *model = layer_model(context, rank, dims);
    assert_ok(context, thaw_flatten(*model, node, NULL, &node));
    cr_assert_eq(thaw_model_node_shape(*model, node)->rank, 1);
    return layer_open(*model, &(layer_wish){ .batch = BATCH, .training = training, .input_gradients = training });
}

Test(flatten, orders_by_channel_row_and_column_and_back)
{
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_flatten(context, &model, 3, (const int64_t[]){ HEIGHT, WIDTH, CHANNELS }, true);
    layer_forward(&l);
    layer_backward(&l);
    for (size_t n = 0; n < BATCH; n++)
        for (size_t place = 0; place < HEIGHT * WIDTH; place++)
            for (size_t c = 0; c < CHANNELS; c++) {
                const size_t last = n * SAMPLE + place * CHANNELS + c, first = n * SAMPLE + c * HEIGHT * WIDTH + place;
                cr_assert(l.output[first] == l.inputs[0][last]);
                cr_assert(l.input_gradients[0][last] == l.output_gradient[first]);
            }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(flatten, costs_nothing_where_the_order_is_the_same)
{
    thaw_context *context = support_context(1);
    const int64_t shapes[][3] = { { 1, 1, 9 }, { 4, 5, 1 } };
    for (size_t i = 0; i < THAW_COUNT(shapes); i++) {
        thaw_model *model;
        layer l = open_flatten(context, &model, 3, shapes[i], true);
        cr_assert(l.needs.identity);
        layer_close(&l, model);
    }
    thaw_model *model;
    layer l = open_flatten(context, &model, 1, (const int64_t[]){ 6 }, false);
    cr_assert(l.needs.identity);
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(flatten, refuses_a_rank_that_it_does_not_know)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 2, (const int64_t[]){ 2, 3 });
    thaw_node node;
    assert_fails(context, thaw_flatten(model, 0, NULL, &node), THAW_SHAPE_MISMATCH, "[2, 3]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
