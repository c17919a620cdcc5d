#include "support/combined_network.h"

#include <stdlib.h>

const char *const combined_groups[COMBINED_GROUPS] = { "conv1",  "conv2",  "dense1",
                                                       "dense2", "dense3", "conv2.weight.lora",
                                                       "norm",   "shared" };

bool support_is_left(size_t index)
{
    return index % 3 != 1 && (index < 40 || index > 90);
}

static thaw_parameter *find(thaw_model *model, const char *name)
{
    return thaw_model_find_parameter(model, name);
}

static void mask(thaw_context *context, thaw_model *model)
{
    const thaw_shape *shape = thaw_parameter_shape(find(model, "dense1.weight"));
    const size_t count = thaw_shape_count(shape);
    unsigned char *values = malloc(count);
    for (size_t i = 0; i < count; i++)
        values[i] = support_is_left(i);
    assert_ok(context, thaw_mask(model, "dense1.weight", &(thaw_tensor){ THAW_U8, *shape, values }));
    free(values);
}

static thaw_expression *add(thaw_context *context, thaw_model *model, const char *group, thaw_shape shape,
                            uint32_t seed)
{
    thaw_parameter *parameter;
    thaw_expression *expression;
    const thaw_parameter_specification wanted = { .name = "factor", .shape = shape, .initializer = THAW_INITIAL_ONE };
    assert_ok(context, thaw_model_add_parameter(model, group, &wanted, &parameter));
    support_fill(thaw_parameter_edit(parameter), thaw_shape_count(&shape), seed);
    assert_ok(context, thaw_expression_of(model, parameter, &expression));
    return expression;
}

/* dense2: magnitude * v / |v|. dense3: weight * a row that is half of another tensor. */
static void normalise(thaw_context *context, thaw_model *model)
{
    thaw_expression *weight, *bound, *row, *shared;
    assert_ok(context, thaw_expression_of(model, find(model, "dense2.weight"), &weight));
    assert_ok(context,
              thaw_expression_weight_norm(add(context, model, "norm", (thaw_shape){ 1, { 6 } }, 31), weight, &bound));
    assert_ok(context, thaw_parameter_bind(model, find(model, "dense2.weight"), bound));
    shared = add(context, model, "shared", (thaw_shape){ 1, { 12 } }, 32);
    assert_ok(context, thaw_expression_slice(shared, 0, 6, 12, &row));
    assert_ok(context, thaw_expression_of(model, find(model, "dense3.weight"), &weight));
    assert_ok(context, thaw_expression_multiply(row, weight, &bound));
    assert_ok(context, thaw_parameter_bind(model, find(model, "dense3.weight"), bound));
}

thaw_model *support_combined_network(thaw_context *context)
{
    thaw_model *model = support_network(context, false);
    assert_ok(context, thaw_lora(model, "conv2", 2, 3));
    thaw_parameter *up = find(model, "conv2.weight.lora_B");
    support_fill(thaw_parameter_edit(up), thaw_shape_count(thaw_parameter_shape(up)), 30);
    mask(context, model);
    normalise(context, model);
    assert_ok(context, thaw_model_unfreeze(model, "*"));
    return model;
}
