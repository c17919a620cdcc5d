/* Modules that misbehave while their layers are built. */
#include "support/impression.h"

static const thaw_node first_layer[] = { 1 };

static const thaw_parameter_specification one_weight = { .name = "weight",
                                                         .shape = { 1, { 4 } },
                                                         .initializer = THAW_INITIAL_ONE };

/* Registers a parameter and then `count` times the same dimension in another. */
static thaw_status register_shape(thaw_layer_builder *builder, int rank, int64_t dimension)
{
    thaw_parameter_specification other = one_weight;
    other.name = "other";
    other.shape.rank = rank;
    for (int i = 0; i < rank && i < THAW_MAX_RANK; i++)
        other.shape.dims[i] = dimension;
    const thaw_status status = thaw_builder_parameter(builder, &one_weight);
    return status == THAW_OK ? thaw_builder_parameter(builder, &other) : status;
}

static thaw_status build_and_refuse(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_status status = register_shape(builder, 1, 2);
    return status == THAW_OK ? thaw_builder_fail(builder, THAW_UNSUPPORTED, "not on a %s", "Monday") : status;
}

static thaw_status build_silently(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_parameter(builder, &one_weight);
}

static thaw_status build_huge(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return register_shape(builder, 2, INT64_MAX / 2);
}

static thaw_status build_empty(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return register_shape(builder, 2, 0);
}

static thaw_status build_rank_7(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return register_shape(builder, 7, 1);
}

static thaw_status build_twice(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_status status = thaw_builder_parameter(builder, &one_weight);
    return status == THAW_OK ? thaw_builder_parameter(builder, &one_weight) : status;
}

static thaw_status build_nine(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    thaw_status status = THAW_OK;
    for (int i = 0; status == THAW_OK && i <= THAW_MAX_PARAMETERS; i++) {
        const char name[] = { (char)('a' + i), '\0' };
        thaw_parameter_specification numbered = one_weight;
        numbered.name = name;
        status = thaw_builder_parameter(builder, &numbered);
    }
    return status;
}

static thaw_status build_huge_output(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_status status = thaw_builder_parameter(builder, &one_weight);
    return status == THAW_OK ? thaw_builder_output(builder, &(thaw_shape){ 3, { INT32_MAX, INT32_MAX, INT32_MAX } })
                             : status;
}

static const thaw_shape scalar = { 0 }, pair = { 1, { 2 } };

static thaw_status build_label_pairs(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_target(builder, THAW_I32, &pair);
}

static thaw_status build_bytes(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_target(builder, THAW_U8, &pair);
}

static thaw_status build_endless_target(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_target(builder, THAW_F32, &(thaw_shape){ 2, { INT64_MAX, 2 } });
}

static thaw_status build_wide_loss(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_status status = thaw_builder_target(builder, THAW_I32, &scalar);
    return status == THAW_OK ? thaw_builder_output(builder, &pair) : status;
}

Test(builder, leaves_nothing_of_a_layer_whose_build_fails)
{
    const struct {
        thaw_status (*build)(thaw_layer_builder *builder, const void *options);
        bool loss;
        thaw_status status;
        const char *text;
    } cases[] = {
        { build_and_refuse, false, THAW_UNSUPPORTED, "bad: not on a Monday" },
        { build_silently, false, THAW_INTERNAL, "bad: the module declared no output" },
        { build_huge, false, THAW_INVALID_ARGUMENT, "\"other\"" },
        { build_empty, false, THAW_INVALID_ARGUMENT, "\"other\"" },
        { build_rank_7, false, THAW_INVALID_ARGUMENT, "\"other\"" },
        { build_twice, false, THAW_DUPLICATE, "bad.weight" },
        { build_nine, false, THAW_INVALID_ARGUMENT, "more than 8 parameters" },
        { build_huge_output, false, THAW_SHAPE_MISMATCH, "bad: the output would be too large" },
        { toy_pass.build, true, THAW_INTERNAL, "bad: the module is a loss, its output must be a scalar" },
        { build_label_pairs, true, THAW_SHAPE_MISMATCH,
          "bad: input 0 must have the labels' shape and a last dimension of classes" },
        { build_bytes, true, THAW_INVALID_ARGUMENT, "bad: targets must be labels or floats" },
        { build_endless_target, true, THAW_SHAPE_MISMATCH, "bad: a target would be too large" },
        { build_wide_loss, true, THAW_INTERNAL, "bad: the module is a loss, its output must be a scalar" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_layer_module module = toy_pass;
        module.build = cases[i].build;
        module.loss = cases[i].loss;
        module.options_size = 100;
        assert_refused(&module, "bad", first_layer, 1, cases[i].status, cases[i].text);
    }
}

/* Layer "a" with a parameter "b.factor". */
static thaw_status build_dotted(thaw_layer_builder *builder, const void *options)
{
    const thaw_status status =
        thaw_builder_parameter(builder, &(thaw_parameter_specification){ .name = "b.factor",
                                                                         .shape = { 1, { 1 } },
                                                                         .initializer = THAW_INITIAL_ONE });
    return status == THAW_OK ? toy_pass.build(builder, options) : status;
}

Test(builder, refuses_a_parameter_whose_full_name_is_taken)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    thaw_layer_module dotted = toy_scale;
    dotted.build = build_dotted;
    const thaw_node input = 0;
    thaw_node output;
    toy_append(model, &toy_scale, "a.b", 0, -1);
    assert_fails(context, thaw_model_append(model, &dotted, "a", &input, 1, NULL, &output), THAW_DUPLICATE,
                 "a.b.factor");
    cr_assert_eq(thaw_model_group_count(model), 1);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
