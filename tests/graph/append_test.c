#include <string.h>

#include "support/allocator.h"
#include "support/toy_network.h"

/* ---- names ---- */

Test(append, takes_the_names_it_is_given_and_makes_the_others)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    const char *const given[] = { NULL, "scale3", NULL, NULL, "a.b.c" };
    const char *const expected[] = { "input", "scale1", "scale3", "scale2", "scale4", "a.b.c" };
    for (size_t i = 0; i < THAW_COUNT(given); i++)
        cr_assert_eq(toy_append(model, &toy_scale, given[i], (thaw_node)i, -1), (thaw_node)i + 1);
    for (size_t i = 0; i < THAW_COUNT(expected); i++) {
        thaw_summary_row row;
        assert_ok(context, thaw_model_summary_row(model, i, &row));
        cr_assert_str_eq(row.name, expected[i]);
        cr_assert(i == 0 || thaw_model_find_group(model, expected[i]) == thaw_model_group(model, i - 1));
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(append, names_a_parameter_after_its_layer)
{
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_center, "layer1.0", 0, -1);
    cr_assert_eq(thaw_model_parameter_count(model), 2);
    cr_assert_str_eq(thaw_parameter_name(thaw_model_parameter(model, 0)), "layer1.0.factor");
    cr_assert_str_eq(thaw_parameter_name(thaw_model_parameter(model, 1)), "layer1.0.mean");
    cr_assert_null(thaw_model_parameter(model, 2));
    cr_assert_null(thaw_model_find_parameter(model, "factor"));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- what is refused, without a trace ---- */

/* A model as it is seen from outside, but for its layers' values. */
typedef struct impression {
    size_t nodes, groups, parameters, live;
    thaw_node output;
} impression;

static impression impression_of(thaw_model *model, const support_allocator *allocator)
{
    return (impression){ thaw_model_node_count(model), thaw_model_group_count(model), thaw_model_parameter_count(model),
                         allocator->live, thaw_model_output(model) };
}

static void assert_unchanged(thaw_model *model, const support_allocator *allocator, impression before)
{
    const impression after = impression_of(model, allocator);
    cr_assert_eq(after.nodes, before.nodes, "%zu nodes, there were %zu", after.nodes, before.nodes);
    cr_assert_eq(after.groups, before.groups, "%zu groups, there were %zu", after.groups, before.groups);
    cr_assert_eq(after.parameters, before.parameters);
    cr_assert_eq(after.live, before.live, "%zu blocks of memory, there were %zu", after.live, before.live);
    cr_assert_eq(after.output, before.output);
}

static void assert_refused(const thaw_layer_module *module, const char *name, const thaw_node *inputs, size_t count,
                           thaw_status status, const char *text)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "first", 0, -1);
    const impression before = impression_of(model, &allocator);
    thaw_node output = 77;
    assert_fails(context, thaw_model_append(model, module, name, inputs, count, NULL, &output), status, text);
    cr_assert_eq(output, 77, "the output was written");
    assert_unchanged(model, &allocator, before);
    cr_assert_eq(toy_append(model, &toy_scale, "second", 1, -1), 2, "and the model goes on");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}

static const thaw_node first_layer[] = { 1 };

Test(append, refuses_bad_names)
{
    char longest[129];
    memset(longest, 'n', sizeof longest);
    longest[128] = '\0';
    assert_refused(&toy_scale, longest, first_layer, 1, THAW_INVALID_ARGUMENT, "1 to 127 characters");
    assert_refused(&toy_scale, "", first_layer, 1, THAW_INVALID_ARGUMENT, "1 to 127 characters");
    assert_refused(&toy_scale, "first", first_layer, 1, THAW_DUPLICATE, "first");
    assert_refused(&toy_pass, "input", first_layer, 1, THAW_DUPLICATE, "input");
}

Test(append, takes_a_name_of_127_characters)
{
    char longest[128];
    memset(longest, 'n', sizeof longest);
    longest[127] = '\0';
    thaw_context *context = support_context(1);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, longest, 0, -1);
    cr_assert_not_null(thaw_model_find_group(model, longest));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(append, refuses_inputs_that_do_not_exist)
{
    assert_refused(&toy_scale, "x", (const thaw_node[]){ -1 }, 1, THAW_INVALID_ARGUMENT, "node -1 does not exist");
    assert_refused(&toy_scale, "x", (const thaw_node[]){ 2 }, 1, THAW_INVALID_ARGUMENT, "node 2 does not exist");
    assert_refused(&toy_sum, "x", (const thaw_node[]){ 0, INT32_MAX }, 2, THAW_INVALID_ARGUMENT, "does not exist");
    assert_refused(&toy_sum, "x", (const thaw_node[9]){ 0 }, 9, THAW_INVALID_ARGUMENT, "9 inputs");
    assert_refused(&toy_sum, "x", first_layer, 0, THAW_INVALID_ARGUMENT, "0 inputs");
}

Test(append, refuses_anything_behind_the_loss)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_scale, "first", 0, -1);
    toy_append(model, &toy_quadratic, "loss", 1, -1);
    cr_assert_eq(thaw_model_output(model), 1, "the output is the loss's input");
    const impression before = impression_of(model, &allocator);
    for (thaw_node input = 0; input < 3; input++) {
        thaw_node output;
        assert_fails(context, thaw_model_append(model, &toy_pass, NULL, &input, 1, NULL, &output),
                     THAW_INVALID_ARGUMENT, "nothing may follow the loss");
    }
    assert_unchanged(model, &allocator, before);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* ---- modules that misbehave while they are built ---- */

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

Test(append, leaves_nothing_of_a_layer_whose_build_fails)
{
    const struct {
        thaw_status (*build)(thaw_layer_builder *builder, const void *options);
        bool loss;
        thaw_status status;
        const char *text;
    } cases[] = {
        { build_and_refuse, false, THAW_UNSUPPORTED, "bad: not on a Monday" },
        { build_silently, false, THAW_INTERNAL, "bad: its module declared no output" },
        { build_huge, false, THAW_INVALID_ARGUMENT, "\"other\"" },
        { build_empty, false, THAW_INVALID_ARGUMENT, "\"other\"" },
        { build_rank_7, false, THAW_INVALID_ARGUMENT, "\"other\"" },
        { build_twice, false, THAW_DUPLICATE, "bad.weight" },
        { build_nine, false, THAW_INVALID_ARGUMENT, "at most 8 parameters" },
        { build_huge_output, false, THAW_SHAPE_MISMATCH, "bad: the output would be too large" },
        { toy_pass.build, true, THAW_INTERNAL, "bad: its module declared no target" },
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

Test(append, refuses_a_parameter_whose_full_name_is_taken)
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

/* ---- out of memory ---- */

Test(append, leaves_nothing_where_memory_runs_out)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = toy_model(context, 3);
    toy_append(model, &toy_center, "first", 0, -1);
    const impression before = impression_of(model, &allocator);
    const thaw_node input = 1;
    thaw_node output;
    size_t failures = 0;
    for (thaw_status status = THAW_OUT_OF_MEMORY; status != THAW_OK; failures++) {
        allocator.fail_at = allocator.calls + failures + 1;
        status = thaw_model_append(model, &toy_center, "second", &input, 1, NULL, &output);
        cr_assert(status == THAW_OK || status == THAW_OUT_OF_MEMORY, "%s", thaw_status_name(status));
        if (status != THAW_OK)
            assert_unchanged(model, &allocator, before);
    }
    cr_assert_geq(failures, 8, "two names, a group, two parameters of three blocks: %zu failures", failures);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}
