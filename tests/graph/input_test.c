#include "support/toy_network.h"

Test(input, is_one_and_comes_first)
{
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    const thaw_node nowhere = 0;
    assert_fails(context, thaw_model_append(model, &toy_scale, "x", &nowhere, 1, NULL, &node), THAW_INVALID_ARGUMENT,
                 "no input yet");
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { 4, 5 } }, &node));
    cr_assert_eq(node, 0);
    assert_fails(context, thaw_input(model, &(thaw_shape){ 2, { 4, 5 } }, &node), THAW_DUPLICATE, "input");
    cr_assert_eq(thaw_model_node_count(model), 1);
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, 0), &(thaw_shape){ 2, { 4, 5 } }));
    cr_assert_null(thaw_model_node_shape(model, 1));
    cr_assert_null(thaw_model_node_shape(model, -1));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(input, has_a_shape_that_a_sample_can_have)
{
    const thaw_shape shapes[] = {
        { 0, { 0 } },
        { -1, { 0 } },
        { 7, { 1, 1, 1, 1, 1, 1 } },
        { 2, { 4, 0 } },
        { 2, { 4, -1 } },
        { 1, { INT64_MAX } },
        { 3, { INT32_MAX, INT32_MAX, INT32_MAX } },
        { 6, { INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX } },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = NULL;
    thaw_node node = 5;
    assert_ok(context, thaw_model_create(context, &model));
    for (size_t i = 0; i < THAW_COUNT(shapes); i++) {
        assert_fails(context, thaw_input(model, &shapes[i], &node), THAW_INVALID_ARGUMENT,
                     "cannot be the shape of a sample");
        cr_assert_eq(thaw_model_node_count(model), 0);
        cr_assert_eq(node, 5);
    }
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 1 } }, &node));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
