#include "train/dropout_network.h"

thaw_model *dropout_model(thaw_context *context, dropout_place where, bool keep)
{
    static const char *const names[] = { "body", "middle", "head" };
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { DROPOUT_FEATURES } }, &x));
    for (int i = 0; i < 3; i++) {
        const thaw_dropout_options dropout = { .name = "drop", .rate = 0.5, .drop_when_frozen = keep };
        const thaw_dense_options dense = { .name = names[i], .units = i == 2 ? DROPOUT_CLASSES : 32 };
        if (i == (int)where)
            assert_ok(context, thaw_dropout(model, x, &dropout, &x));
        assert_ok(context, thaw_dense(model, x, &dense, &x));
        if (i < 2)
            assert_ok(context, thaw_relu(model, x, NULL, &x));
    }
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

thaw_status dropout_step(thaw_model *model, int64_t count, bool gradients_only, thaw_step_result *result)
{
    float values[DROPOUT_BATCH * DROPOUT_FEATURES];
    int32_t labels[DROPOUT_BATCH];
    support_fill(values, DROPOUT_BATCH * DROPOUT_FEATURES, 1);
    for (int i = 0; i < DROPOUT_BATCH; i++)
        labels[i] = i % DROPOUT_CLASSES;
    const thaw_tensor inputs = thaw_view_f32(values, 2, (int64_t[]){ count, DROPOUT_FEATURES });
    const thaw_tensor targets = thaw_view_i32(labels, 1, &count);
    return thaw_step(model, &inputs, &targets, &(thaw_step_options){ .gradients_only = gradients_only }, result);
}
