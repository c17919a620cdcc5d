/* Dropout and freezing. */
#include "support/support.h"

enum { BATCH = 16, FEATURES = 8, CLASSES = 3 };

/* The losses of two steps that change nothing, at different step numbers. */
static void two_losses(const char *frozen, double losses[2])
{
    float values[BATCH * FEATURES];
    int32_t labels[BATCH];
    support_fill(values, BATCH * FEATURES, 1);
    for (int i = 0; i < BATCH; i++)
        labels[i] = i % CLASSES;
    const thaw_tensor inputs = thaw_view_f32(values, 2, (int64_t[]){ BATCH, FEATURES });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (int64_t[]){ BATCH });
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_optimizer *optimizer = NULL;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { FEATURES } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "body", .units = 32 }, &x));
    assert_ok(context, thaw_dropout(model, x, &(thaw_dropout_options){ .rate = 0.5 }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "head", .units = CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0", &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    if (frozen != NULL)
        assert_ok(context, thaw_model_freeze(model, frozen));
    for (int i = 0; i < 2; i++) {
        thaw_step_result result;
        assert_ok(context, thaw_step(model, &inputs, &targets, NULL, &result));
        losses[i] = result.loss;
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(dropout, is_drawn_anew_in_each_step_of_the_live_part)
{
    double losses[2];
    two_losses(NULL, losses);
    cr_assert_neq(losses[0], losses[1], "both are %.9g", losses[0]);
}

Test(dropout, is_off_inside_a_frozen_prefix)
{
    double losses[2];
    two_losses("body", losses);
    cr_assert_eq(losses[0], losses[1], "%.9g and %.9g", losses[0], losses[1]);
}
