#include "support/holder.h"

#include <string.h>

#include "support/support.h"

/* Its weight's shape; the bias follows from it. */
typedef struct holder_options {
    int64_t rows, columns;
} holder_options;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const holder_options *sizes = options;
    const thaw_parameter_specification specifications[] = {
        { .name = "weight", .role = THAW_WEIGHT, .shape = { 2, { sizes->rows, sizes->columns } }, .fan_in = 3 },
        { .name = "bias", .role = THAW_BIAS, .shape = { 1, { sizes->rows } }, .fan_in = 3 },
        { .name = "mean", .role = THAW_STATISTIC, .shape = { 1, { 3 } }, .fan_in = 3 },
    };
    for (size_t i = 0; i < THAW_COUNT(specifications); i++) {
        const thaw_status status = thaw_builder_parameter(builder, &specifications[i]);
        if (status != THAW_OK)
            return status;
    }
    return thaw_builder_output(builder, thaw_builder_input(builder, 0));
}

static const thaw_layer_module holder = { THAW_LAYER_MODULE_HEAD, .name = "holder",
                                          .options_size = sizeof(holder_options), .build = build };

thaw_model *support_holder(thaw_context *context)
{
    thaw_model *model;
    thaw_node node;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 1 } }, &node));
    assert_ok(context, thaw_model_append(model, &holder, "first", &node, 1, &(holder_options){ 3, 2 }, &node));
    assert_ok(context, thaw_model_append(model, &holder, "second", &node, 1, &(holder_options){ 2, 3 }, &node));
    cr_assert_eq(thaw_model_parameter_count(model), HOLDER_PARAMETERS);
    return model;
}

void support_holder_fill(thaw_model *model, uint32_t seed)
{
    for (size_t i = 0; i < HOLDER_PARAMETERS; i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        support_fill(thaw_parameter_edit(parameter), thaw_shape_count(thaw_parameter_shape(parameter)),
                     seed * HOLDER_PARAMETERS + (uint32_t)i);
    }
}

void support_holder_copy(thaw_model *model, float values[HOLDER_FLOATS])
{
    for (size_t i = 0; i < HOLDER_PARAMETERS; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        memcpy(values, thaw_parameter_data(parameter), count * sizeof *values);
        values += count;
    }
}
