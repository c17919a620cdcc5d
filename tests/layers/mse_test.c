
#include "support/layer.h"

enum { BATCH = 7, FEATURES = 1301, COUNT = BATCH * FEATURES };

static layer open_mse(thaw_context *context, thaw_model **model, thaw_reduction reduction, const layer_wish *wish)
{
    thaw_node node = 0;
    *model = layer_model(context, 1, (const int64_t[]){ FEATURES });
    assert_ok(context, thaw_mse(*model, node, &(thaw_mse_options){ .reduction = reduction }, &node));
    return layer_open(*model, wish);
}

static void check(thaw_reduction reduction, double divisor)
{
    float target[COUNT], expected[COUNT];
    support_fill(target, COUNT, 9);
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer l = open_mse(context, &model, reduction,
                       &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true, .target = target });
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const double difference = (double)l.inputs[0][i] - (double)target[i];
        sum += difference * difference;
        expected[i] = (float)(2 * difference / divisor);
    }
    const float loss = (float)(sum / divisor);
    layer_forward(&l);
    layer_backward(&l);
    assert_close(l.output, &loss, 1, 1e-7, "loss");
    assert_close(l.input_gradients[0], expected, COUNT, 1e-7 / divisor + 1e-7, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(mse, matches_the_definition)
{
    check(THAW_REDUCE_MEAN, COUNT);
    check(THAW_REDUCE_SUM, 1);
}

Test(mse, is_the_same_for_any_thread_count)
{
    float target[COUNT], alone = 0;
    support_fill(target, COUNT, 9);
    for (int threads = 1; threads < 5; threads++) {
        thaw_context *context = support_context(threads);
        thaw_model *model;
        layer l = open_mse(context, &model, THAW_REDUCE_MEAN, &(layer_wish){ .batch = BATCH, .target = target });
        layer_forward(&l);
        alone = threads == 1 ? *l.output : alone;
        cr_assert(*l.output == alone, "%d threads: %.9g, alone %.9g", threads, (double)*l.output, (double)alone);
        layer_close(&l, model);
        thaw_context_destroy(context);
    }
}

Test(mse, refuses_an_unknown_reduction)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ 2 });
    thaw_node node;
    assert_fails(context, thaw_mse(model, 0, &(thaw_mse_options){ .reduction = (thaw_reduction)5 }, &node),
                 THAW_INVALID_ARGUMENT, "reduction is 5, must be THAW_REDUCE_MEAN");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
