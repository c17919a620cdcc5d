#include <math.h>

#include "support/layer.h"

enum { CLASSES = 3 };

static void refuse(thaw_softmax_cross_entropy_options options, const char *text)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ CLASSES });
    thaw_node node;
    assert_fails(context, thaw_softmax_cross_entropy(model, 0, &options, &node), THAW_INVALID_ARGUMENT, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(softmax_cross_entropy_refusals, of_options)
{
    const float negative[CLASSES] = { 1, -1, 1 }, infinite[CLASSES] = { 1, 1, INFINITY };
    refuse((thaw_softmax_cross_entropy_options){ .reduction = (thaw_reduction)7 }, "reduction is 7");
    refuse((thaw_softmax_cross_entropy_options){ .label_smoothing = -0.1 }, "label_smoothing is -0.1");
    refuse((thaw_softmax_cross_entropy_options){ .label_smoothing = 1.1 }, "label_smoothing is 1.1");
    refuse((thaw_softmax_cross_entropy_options){ .label_smoothing = NAN }, "label_smoothing");
    refuse((thaw_softmax_cross_entropy_options){ .class_weights = negative }, "class 1 is -1");
    refuse((thaw_softmax_cross_entropy_options){ .class_weights = infinite }, "class 2 is inf");
}

Test(softmax_cross_entropy_refusals, of_logits_that_are_no_vector)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 3, (const int64_t[]){ 2, 2, 3 });
    thaw_node node;
    assert_fails(context, thaw_softmax_cross_entropy(model, 0, NULL, &node), THAW_SHAPE_MISMATCH, "[2, 2, 3]");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(softmax_cross_entropy_refusals, of_labels_outside_of_the_classes)
{
    const int32_t labels[][2] = { { 0, 3 }, { 0, -1 } };
    const char *const texts[] = { "sample 1 has label 3", "sample 1 has label -1" };
    thaw_context *context = support_context(1);
    for (int i = 0; i < 2; i++) {
        thaw_model *model = layer_model(context, 1, (const int64_t[]){ CLASSES });
        thaw_node node = 0;
        assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
        layer l = layer_open(model, &(layer_wish){ .batch = 2 });
        thaw_layer_run run = l.run;
        run.inputs = (const void *const[]){ l.inputs[0] };
        run.output = l.output;
        run.target = labels[i];
        assert_fails(context, l.module->forward(&run), THAW_INVALID_ARGUMENT, texts[i]);
        layer_close(&l, model);
    }
    thaw_context_destroy(context);
}
