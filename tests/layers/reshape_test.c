#include <string.h>

#include "support/network.h"
#include "support/support.h"

static thaw_model *input_model(thaw_context *context)
{
    thaw_model *model;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 3, { 2, 3, 4 } }, &node));
    return model;
}

Test(reshape, has_the_dimensions_that_were_asked_for)
{
    static const struct {
        thaw_shape asked, made;
    } shapes[] = {
        { { 2, { 6, 4 } }, { 2, { 6, 4 } } },
        { { 2, { -1, 4 } }, { 2, { 6, 4 } } },
        { { 1, { -1 } }, { 1, { 24 } } },
        { { 4, { 2, 1, -1, 3 } }, { 4, { 2, 1, 4, 3 } } },
        { { 3, { 24, -1, 1 } }, { 3, { 24, 1, 1 } } },
    };
    thaw_context *context = support_context(1);
    for (size_t i = 0; i < THAW_COUNT(shapes); i++) {
        thaw_model *model = input_model(context);
        thaw_node node;
        assert_ok(context, thaw_reshape(model, 0, &(thaw_reshape_options){ .shape = shapes[i].asked }, &node));
        cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &shapes[i].made), "shape %zu", i);
        thaw_model_destroy(model);
    }
    thaw_context_destroy(context);
}

/* A dense layer of the 6 rows is a 1x1 convolution of the image. */
Test(reshape, keeps_the_order_of_elements_forward_and_backward)
{
    enum { BATCH = 2, UNITS = 5 };
    thaw_context *context = support_context(2);
    float inputs[BATCH * 24], targets[BATCH * 6 * UNITS], gradients[2][4 * UNITS];
    support_fill(inputs, THAW_COUNT(inputs), 1);
    support_fill(targets, THAW_COUNT(targets), 2);
    const thaw_tensor x = thaw_view_f32(inputs, 4, (int64_t[]){ BATCH, 2, 3, 4 });
    for (int how = 0; how < 2; how++) {
        thaw_model *model = input_model(context);
        thaw_node node;
        assert_ok(context, thaw_conv2d(model, 0,
                                       &(thaw_conv2d_options){ .name = "c", .filters = 4, .kernel = { 1, 1 } }, &node));
        if (how == 1)
            assert_ok(context, thaw_reshape(model, node, &(thaw_reshape_options){ .shape = { 2, { 6, 4 } } }, &node));
        assert_ok(context, thaw_dense(model, node, &(thaw_dense_options){ .name = "d", .units = UNITS }, &node));
        assert_ok(context, thaw_mse(model, node, NULL, &node));
        support_optimize(model, "sgd:lr=0.1");
        for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
            thaw_parameter *parameter = thaw_model_parameter(model, i);
            support_fill(thaw_parameter_edit(parameter), thaw_shape_count(thaw_parameter_shape(parameter)),
                         (uint32_t)i);
        }
        const thaw_tensor y = how ? thaw_view_f32(targets, 3, (int64_t[]){ BATCH, 6, UNITS })
                                  : thaw_view_f32(targets, 4, (int64_t[]){ BATCH, 2, 3, UNITS });
        assert_ok(context, thaw_step(model, &x, &y, NULL, NULL));
        memcpy(gradients[how], thaw_parameter_gradient(thaw_model_find_parameter(model, "c.weight")),
               16 * sizeof(float));
        thaw_model_destroy(model);
    }
    assert_close(gradients[1], gradients[0], 16, 1e-6, "gradient below");
    thaw_context_destroy(context);
}

Test(reshape, refuses_another_number_of_elements)
{
    thaw_context *context = support_context(1);
    thaw_model *model = input_model(context);
    thaw_node node;
    const thaw_shape wrong[] = { { 2, { 6, 5 } }, { 2, { -1, 5 } },     { 2, { -1, -1 } },   { 2, { 0, 24 } },
                                 { 0, { 0 } },    { 1, { INT64_MAX } }, { 3, { -2, -3, 4 } } };
    for (size_t i = 0; i < THAW_COUNT(wrong); i++)
        assert_fails(context, thaw_reshape(model, 0, &(thaw_reshape_options){ .shape = wrong[i] }, &node),
                     THAW_SHAPE_MISMATCH, "the 24 elements of the input's shape [2, 3, 4]");
    assert_fails(context,
                 thaw_reshape(model, 0, &(thaw_reshape_options){ .shape = { .rank = THAW_MAX_RANK + 1 } }, &node),
                 THAW_SHAPE_MISMATCH, "of a wrong rank");
    assert_fails(context, thaw_reshape(model, 0, NULL, &node), THAW_SHAPE_MISMATCH, "at most one -1");
    cr_assert_eq(thaw_model_node_count(model), 1);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
