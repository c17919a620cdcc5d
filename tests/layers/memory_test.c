/* Layers in want of memory: whichever allocation fails, the call says so and gives everything back. */
#include "support/allocator.h"
#include "support/support.h"

#define TRY(call)                       \
    do {                                \
        const thaw_status got = (call); \
        if (got != THAW_OK)             \
            return got;                 \
    } while (0)

static thaw_status append_images(thaw_model *m, thaw_node *x)
{
    const thaw_conv2d_options grouped = { .filters = 6, .kernel = { 3, 3 }, .groups = 2, .same = true };
    const thaw_pool2d_options pool = { .kernel = { 2, 2 }, .ceil_mode = true };
    thaw_node other;
    TRY(thaw_input(m, &(thaw_shape){ 3, { 9, 7, 3 } }, x));
    TRY(thaw_conv2d(m, *x, &(thaw_conv2d_options){ .filters = 4, .kernel = { 2, 3 } }, x));
    TRY(thaw_leaky_relu(m, *x, NULL, x));
    TRY(thaw_max_pool2d(m, *x, &pool, x));
    TRY(thaw_conv2d(m, *x, &grouped, x));
    TRY(thaw_relu6(m, *x, NULL, &other));
    TRY(thaw_gelu(m, *x, NULL, x));
    TRY(thaw_add(m, *x, other, NULL, x));
    TRY(thaw_dropout(m, *x, &(thaw_dropout_options){ .rate = 0.5 }, x));
    return thaw_average_pool2d(m, *x, &(thaw_pool2d_options){ .kernel = { 3, 2 }, .ceil_mode = true }, x);
}

static thaw_status append_classifier(thaw_model *m)
{
    const float class_weights[] = { 1, 2, 3, 4, 5 };
    thaw_node x;
    TRY(append_images(m, &x));
    TRY(thaw_flatten(m, x, NULL, &x));
    TRY(thaw_dense(m, x, &(thaw_dense_options){ .units = 64 }, &x));
    TRY(thaw_relu(m, x, NULL, &x));
    TRY(thaw_dense(m, x, &(thaw_dense_options){ .units = 300 }, &x));
    TRY(thaw_tanh(m, x, NULL, &x));
    TRY(thaw_dense(m, x, &(thaw_dense_options){ .units = 5 }, &x));
    return thaw_softmax_cross_entropy(m, x, &(thaw_softmax_cross_entropy_options){ .class_weights = class_weights },
                                      &x);
}

static thaw_status append_regression(thaw_model *m)
{
    thaw_node x;
    TRY(append_images(m, &x));
    TRY(thaw_global_average_pool2d(m, x, NULL, &x));
    TRY(thaw_sigmoid(m, x, NULL, &x));
    TRY(thaw_dense(m, x, &(thaw_dense_options){ .units = 2 }, &x));
    TRY(thaw_silu(m, x, NULL, &x));
    return thaw_mse(m, x, NULL, &x);
}

static thaw_status build_and_compile(thaw_context *context, thaw_status (*append)(thaw_model *))
{
    thaw_model *model;
    const thaw_plan *plan;
    TRY(thaw_model_create(context, &model));
    thaw_status status = append(model);
    if (status == THAW_OK)
        status = thaw_model_plan(model, &(thaw_plan_options){ .batch = 16 }, &plan);
    if (status == THAW_OK)
        status = thaw_model_plan(model, &(thaw_plan_options){ .batch = 3, .inference = true }, &plan);
    thaw_model_destroy(model);
    return status;
}

static thaw_status append_branches(thaw_model *m)
{
    const float values[] = { 1, 2, 3, 4, 5 };
    thaw_node x, left, right, constant;
    TRY(thaw_input(m, &(thaw_shape){ 3, { 3, 4, 5 } }, &x));
    TRY(thaw_constant(m, &(thaw_constant_options){ .shape = { 1, { 5 } }, .values = values }, &constant));
    TRY(thaw_upsample2d(m, x, &(thaw_upsample2d_options){ .scale = { 2, 2 }, .mode = THAW_UPSAMPLE_BILINEAR }, &x));
    TRY(thaw_conv2d(m, x, &(thaw_conv2d_options){ .filters = 5, .kernel = { 1, 1 } }, &x));
    TRY(thaw_multiply(m, x, constant, NULL, &left));
    TRY(thaw_subtract(m, left, x, NULL, &right));
    TRY(thaw_add(m, right, left, NULL, &right));
    TRY(thaw_concatenate(m, (const thaw_node[]){ left, right, x }, 3, &(thaw_concatenate_options){ .axis = -1 }, &x));
    TRY(thaw_softmax(m, x, NULL, &x));
    TRY(thaw_log_softmax(m, x, NULL, &x));
    TRY(thaw_global_average_pool2d(m, x, NULL, &x));
    TRY(thaw_dense(m, x, &(thaw_dense_options){ .units = 5 }, &x));
    return thaw_binary_cross_entropy(m, x, &(thaw_binary_cross_entropy_options){ .positive_weights = values }, &x);
}

static thaw_status append_convolutions(thaw_model *m)
{
    const thaw_conv_transpose2d_options doubling = { .filters = 3, .kernel = { 2, 2 }, .stride = { 2, 2 } };
    thaw_node x;
    TRY(thaw_input(m, &(thaw_shape){ 2, { 12, 3 } }, &x));
    TRY(thaw_conv1d(m, x, &(thaw_conv1d_options){ .filters = 5, .kernel = 3 }, &x));
    TRY(thaw_dense(m, x, &(thaw_dense_options){ .units = 4 }, &x));
    TRY(thaw_layer_norm(m, x, &(thaw_layer_norm_options){ .dimensions = 2 }, &x));
    TRY(thaw_group_norm(m, x, &(thaw_group_norm_options){ .groups = 2 }, &x));
    TRY(thaw_relu(m, x, NULL, &x));
    const float image[6] = { 1, 2, 3, 4, 5, 6 };
    thaw_node constant;
    TRY(thaw_constant(m, &(thaw_constant_options){ .shape = { 3, { 6, 1, 1 } }, .values = image }, &constant));
    TRY(thaw_multiply(m, x, constant, NULL, &x)); /* [6, 10, 4] */
    TRY(thaw_conv_transpose2d(m, x, &doubling, &x));
    TRY(thaw_conv_transpose2d(m, x, &doubling, &x));
    TRY(thaw_global_average_pool2d(m, x, NULL, &x));
    return thaw_mse(m, x, NULL, &x);
}

static thaw_status append_sequences(thaw_model *m)
{
    thaw_node x;
    TRY(thaw_input(m, &(thaw_shape){ 1, { 7 } }, &x));
    TRY(thaw_embedding(m, x, &(thaw_embedding_options){ .rows = 100, .width = 6 }, &x));
    TRY(thaw_layer_norm(m, x, NULL, &x));
    TRY(thaw_conv1d(m, x, &(thaw_conv1d_options){ .filters = 4, .kernel = 3 }, &x));
    TRY(thaw_group_norm(m, x, &(thaw_group_norm_options){ .groups = 2, .no_affine = true }, &x));
    TRY(thaw_relu(m, x, NULL, &x));
    TRY(thaw_dense(m, x, &(thaw_dense_options){ .units = 3 }, &x));
    return thaw_mse(m, x, NULL, &x);
}

static void check(thaw_status (*append)(thaw_model *))
{
    bool failed = true;
    for (size_t fail = 1; failed; fail++) {
        support_allocator allocator = { 0 };
        thaw_context *context = support_context_on(&allocator);
        allocator.fail_at = allocator.calls + fail;
        const thaw_status status = build_and_compile(context, append);
        failed = allocator.calls >= allocator.fail_at;
        cr_assert(status == (failed ? THAW_OUT_OF_MEMORY : THAW_OK), "allocation %zu: %s: %s", fail,
                  thaw_status_name(status), thaw_context_message(context));
        thaw_context_destroy(context);
        cr_assert_eq(allocator.live, 0, "allocation %zu: %zu blocks are lost", fail, allocator.live);
        cr_assert(failed || fail > 100);
    }
}

Test(memory, is_given_back_by_a_classifier)
{
    check(append_classifier);
}

Test(memory, is_given_back_by_a_regression)
{
    check(append_regression);
}

Test(memory, is_given_back_by_branches)
{
    check(append_branches);
}

Test(memory, is_given_back_by_convolutions)
{
    check(append_convolutions);
}

Test(memory, is_given_back_by_sequences)
{
    check(append_sequences);
}
