/* Inputs with names and types. */
#include <stdio.h>

#include "support/toy_network.h"

static thaw_model *new_model(thaw_context *context)
{
    thaw_model *model = NULL;
    assert_ok(context, thaw_model_create(context, &model));
    return model;
}

static const thaw_input_options ids = { .name = "ids", .dtype = THAW_I32, .shape = { 1, { 6 } } };
static const thaw_input_options image = { .name = "image", .shape = { 3, { 2, 2, 3 } } };
static const thaw_input_options length = { .name = "length", .dtype = THAW_I32 };

Test(named_inputs, are_listed_in_their_order)
{
    thaw_context *context = support_context(1);
    thaw_model *model = new_model(context);
    thaw_model_input found;
    thaw_node nodes[3];
    cr_assert_eq(thaw_model_input_count(model), 0);
    assert_ok(context, thaw_named_input(model, &ids, &nodes[0]));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, 0), &(thaw_shape){ 1, { 6 } }));
    assert_ok(context, thaw_named_input(model, &image, &nodes[1]));
    assert_ok(context, thaw_named_input(model, &length, &nodes[2]));
    cr_assert_eq(thaw_model_input_count(model), 3);
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, 0), &(thaw_shape){ 1, { 6 + 12 + 1 } }));
    const thaw_input_options *const wanted[] = { &ids, &image, &length };
    for (size_t i = 0; i < 3; i++) {
        const thaw_shape *shape = i == 2 ? &(thaw_shape){ 1, { 1 } } : &wanted[i]->shape;
        assert_ok(context, thaw_model_input_at(model, i, &found));
        cr_assert_str_eq(found.name, wanted[i]->name);
        cr_assert_eq(found.dtype, wanted[i]->dtype);
        cr_assert_eq(found.node, nodes[i]);
        cr_assert(thaw_shape_equal(&found.shape, shape));
        cr_assert(thaw_shape_equal(thaw_model_node_shape(model, nodes[i]), shape));
    }
    assert_fails(context, thaw_model_input_at(model, 3, &found), THAW_INVALID_ARGUMENT, "input is 3, the model has 3");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(named_inputs, of_thaw_input_is_one)
{
    thaw_context *context = support_context(1);
    thaw_model *model = new_model(context);
    thaw_model_input found;
    thaw_node node;
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { 4, 5 } }, &node));
    cr_assert_eq(thaw_model_input_count(model), 1);
    assert_ok(context, thaw_model_input_at(model, 0, &found));
    cr_assert_str_eq(found.name, "input");
    cr_assert_eq(found.dtype, THAW_F32);
    cr_assert_eq(found.node, 0);
    cr_assert(thaw_shape_equal(&found.shape, &(thaw_shape){ 2, { 4, 5 } }));
    assert_fails(context, thaw_named_input(model, &ids, &node), THAW_DUPLICATE, "thaw_input has declared");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(named_inputs, come_before_layers)
{
    thaw_context *context = support_context(1);
    thaw_model *model = new_model(context);
    thaw_node node, x;
    assert_ok(context, thaw_named_input(model, &image, &node));
    assert_fails(context, thaw_input(model, &image.shape, &x), THAW_DUPLICATE, "already has an input");
    assert_ok(context, thaw_model_append(model, &toy_scale, "x", &node, 1, NULL, &x));
    assert_fails(context, thaw_named_input(model, &ids, &node), THAW_INVALID_ARGUMENT, "before any layer");
    assert_fails(context, thaw_model_append(model, &toy_scale, "image", &x, 1, NULL, &x), THAW_DUPLICATE, "image");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(named_inputs, have_names_of_their_own)
{
    thaw_context *context = support_context(1);
    thaw_model *model = new_model(context);
    thaw_model_input found;
    thaw_node node = -1;
    const thaw_input_options unnamed = { .shape = { 1, { 2 } } };
    assert_fails(context, thaw_named_input(model, &(thaw_input_options){ .name = "a*" }, &node), THAW_INVALID_ARGUMENT,
                 "have a meaning in patterns");
    cr_assert_eq(thaw_model_node_count(model), 0);
    assert_ok(context, thaw_named_input(model, &unnamed, &node));
    assert_ok(context, thaw_named_input(model, &unnamed, &node));
    for (size_t i = 0; i < 2; i++) {
        char name[8];
        snprintf(name, sizeof name, "input%zu", i + 1);
        assert_ok(context, thaw_model_input_at(model, i, &found));
        cr_assert_str_eq(found.name, name);
    }
    assert_fails(context, thaw_named_input(model, &(thaw_input_options){ .name = "input1" }, &node), THAW_DUPLICATE,
                 "input1");
    cr_assert_eq(thaw_model_input_count(model), 2);
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, 0), &(thaw_shape){ 1, { 4 } }));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(named_inputs, have_types_and_shapes_that_inputs_can_have)
{
    const thaw_input_options refused[] = {
        { .name = "x", .dtype = THAW_U8, .shape = { 1, { 2 } } },
        { .name = "x", .dtype = THAW_BF16, .shape = { 1, { 2 } } },
        { .name = "x", .shape = { -1, { 2 } } },
        { .name = "x", .shape = { 7, { 1, 1, 1, 1, 1, 1 } } },
        { .name = "x", .shape = { 2, { 4, 0 } } },
        { .name = "x", .shape = { 1, { INT64_MAX } } },
    };
    thaw_context *context = support_context(1);
    thaw_model *model = new_model(context);
    thaw_node node = 5;
    for (size_t i = 0; i < THAW_COUNT(refused); i++) {
        assert_fails(context, thaw_named_input(model, &refused[i], &node), THAW_INVALID_ARGUMENT, "x: ");
        cr_assert_eq(node, 5);
        cr_assert_eq(thaw_model_node_count(model), 0);
    }
    const thaw_input_options large = { .shape = { 1, { INT64_MAX / 8 } } };
    assert_ok(context, thaw_named_input(model, &large, &node));
    assert_fails(context, thaw_named_input(model, &large, &node), THAW_INVALID_ARGUMENT, "together are too large");
    cr_assert_eq(thaw_model_input_count(model), 1);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(named_inputs, are_not_without_end)
{
    thaw_context *context = support_context(1);
    thaw_model *model = new_model(context);
    thaw_node node;
    for (size_t i = 0; i < THAW_MOST_MODEL_INPUTS; i++)
        assert_ok(context, thaw_named_input(model, &(thaw_input_options){ 0 }, &node));
    assert_fails(context, thaw_named_input(model, &(thaw_input_options){ .name = "last" }, &node),
                 THAW_INVALID_ARGUMENT, "last: the model has 16 inputs");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(named_inputs, are_in_the_summary)
{
    thaw_context *context = support_context(1);
    thaw_model *model = new_model(context);
    thaw_node node;
    thaw_summary_entry row;
    char *text = NULL;
    assert_ok(context, thaw_named_input(model, &ids, &node));
    assert_ok(context, thaw_named_input(model, &image, &node));
    assert_ok(context, thaw_model_summary_entry(model, 1, &row));
    cr_assert_str_eq(row.name, "ids");
    cr_assert_str_eq(row.kind, "input i32");
    assert_ok(context, thaw_model_summary(model, &text));
    cr_assert(strstr(text, "ids                input i32              [6]") != NULL, "%s", text);
    cr_assert(strstr(text, "image              input                  [2, 2, 3]") != NULL, "%s", text);
    thaw_text_destroy(context, text);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
