#include <string.h>

#include "graph/model.h"
#include "support/impression.h"

static support_allocator allocator;
static thaw_context *context;
static thaw_model *model;

static void begin(void)
{
    context = support_context_on(&allocator);
    model = toy_model(context, 3);
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}

/* ---- names ---- */

Test(append, takes_the_names_it_is_given_and_makes_the_others, .init = begin, .fini = end)
{
    const char *const given[] = { NULL, "scale3", NULL, NULL, "a.b.c" };
    const char *const expected[] = { "input", "scale1", "scale3", "scale2", "scale4", "a.b.c" };
    for (size_t i = 0; i < THAW_COUNT(given); i++)
        cr_assert_eq(toy_append(model, &toy_scale, given[i], (thaw_node)i, -1), (thaw_node)i + 1);
    for (size_t i = 0; i < THAW_COUNT(expected); i++) {
        thaw_summary_entry row;
        assert_ok(context, thaw_model_summary_entry(model, i, &row));
        cr_assert_str_eq(row.name, expected[i]);
        cr_assert(i == 0 || thaw_model_find_group(model, expected[i]) == thaw_model_group(model, i - 1));
    }
}

Test(append, names_a_parameter_after_its_layer, .init = begin, .fini = end)
{
    toy_append(model, &toy_center, "layer1.0", 0, -1);
    cr_assert_eq(thaw_model_parameter_count(model), 2);
    cr_assert_str_eq(thaw_parameter_name(thaw_model_parameter(model, 0)), "layer1.0.factor");
    cr_assert_str_eq(thaw_parameter_name(thaw_model_parameter(model, 1)), "layer1.0.mean");
    cr_assert_null(thaw_model_parameter(model, 2));
    cr_assert_null(thaw_model_find_parameter(model, "factor"));
}

/* ---- what is refused, without a trace ---- */

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
    assert_refused(&toy_scale, "conv*", first_layer, 1, THAW_INVALID_ARGUMENT, "\"conv*\" contains one of");
    assert_refused(&toy_pass, "a,b", first_layer, 1, THAW_INVALID_ARGUMENT, "\"a,b\" contains one of");
    assert_refused(&toy_scale, "caf\xE9", first_layer, 1, THAW_INVALID_ARGUMENT, "is not UTF-8");
}

static thaw_status build_odd(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    return thaw_builder_parameter(builder, &(thaw_parameter_specification){ .name = "w[0]",
                                                                            .role = THAW_WEIGHT,
                                                                            .shape = { 1, { 1 } },
                                                                            .initializer = THAW_INITIAL_ZERO });
}

Test(append, refuses_bad_names_of_parameters)
{
    static const thaw_layer_module odd = { THAW_LAYER_MODULE_HEAD, .name = "odd", .build = build_odd };
    assert_refused(&odd, "x", first_layer, 1, THAW_INVALID_ARGUMENT, "\"x.w[0]\" contains one of");
}

Test(append, takes_names_in_any_script, .init = begin, .fini = end)
{
    const char *const name = "\xE5\xB1\xA4.1 (\xC3\xA9)";
    toy_append(model, &toy_scale, name, 0, -1);
    cr_assert_not_null(thaw_model_find_group(model, name));
    assert_ok(context, thaw_model_freeze(model, name));
}

Test(append, takes_a_name_of_127_characters, .init = begin, .fini = end)
{
    char longest[128];
    memset(longest, 'n', sizeof longest);
    longest[127] = '\0';
    toy_append(model, &toy_scale, longest, 0, -1);
    cr_assert_not_null(thaw_model_find_group(model, longest));
}

Test(append, refuses_inputs_that_do_not_exist)
{
    assert_refused(&toy_scale, "x", (const thaw_node[]){ -1 }, 1, THAW_INVALID_ARGUMENT, "input -1 is not a node");
    assert_refused(&toy_scale, "x", (const thaw_node[]){ 2 }, 1, THAW_INVALID_ARGUMENT, "input 2 is not a node");
    assert_refused(&toy_sum, "x", (const thaw_node[]){ 0, INT32_MAX }, 2, THAW_INVALID_ARGUMENT, "is not a node");
    assert_refused(&toy_sum, "x", (const thaw_node[9]){ 0 }, 9, THAW_INVALID_ARGUMENT, "9 inputs");
    assert_refused(&toy_sum, "x", first_layer, 0, THAW_INVALID_ARGUMENT, "0 inputs");
}

Test(append, refuses_inputs_of_a_source)
{
    static const thaw_layer_module source = { THAW_LAYER_MODULE_HEAD, .name = "source", .source = true,
                                              .build = build_odd };
    assert_refused(&source, "x", first_layer, 1, THAW_INVALID_ARGUMENT, "has 1 inputs, a source must have none");
}

Test(append, refuses_modules_of_other_kinds)
{
    thaw_layer_module odd = toy_pass;
    odd.abi = 0x4F500001;
    assert_refused(&odd, "x", first_layer, 1, THAW_INVALID_ARGUMENT,
                   "x: the layer's module: it is not a layer module: its abi is 0x4f500001, must be 0x4c410001");
    odd.abi = THAW_LAYER_ABI + 1;
    assert_refused(&odd, NULL, first_layer, 1, THAW_INVALID_ARGUMENT, "version 2 of the abi, must be version 1");
    odd = toy_pass;
    odd.size = offsetof(thaw_layer_module, release);
    assert_refused(&odd, "x", first_layer, 1, THAW_INVALID_ARGUMENT, "must have at least");
    odd.size = sizeof odd + 8;
    assert_refused(&odd, "x", first_layer, 1, THAW_INVALID_ARGUMENT, "newer Thaw");
    odd = toy_pass;
    odd.capabilities = &(thaw_layer_capabilities){ .size = sizeof(thaw_layer_capabilities) + 1 };
    assert_refused(&odd, "x", first_layer, 1, THAW_INVALID_ARGUMENT, "x: the layer's module: its capabilities have");
    odd.capabilities = &(thaw_layer_capabilities){ .size = 0 };
    assert_refused(&odd, "x", first_layer, 1, THAW_INVALID_ARGUMENT, "its capabilities have 0 bytes");
    odd = toy_pass;
    odd.build = NULL;
    assert_refused(&odd, "x", first_layer, 1, THAW_INVALID_ARGUMENT, "no build function");
    odd.name = NULL;
    assert_refused(&odd, NULL, first_layer, 1, THAW_INVALID_ARGUMENT, "its name is missing");
    assert_refused(NULL, NULL, first_layer, 1, THAW_INVALID_ARGUMENT, "it is missing");
}

static thaw_status fail_to_adopt(thaw_layer_builder *builder, void *options)
{
    (void)options;
    return thaw_builder_fail(builder, THAW_INTERNAL, "a field past the module's size was read");
}

Test(append, reads_no_field_past_the_size_of_a_module, .init = begin, .fini = end)
{
    thaw_layer_module older = toy_pass;
    older.options_size = sizeof(int);
    older.size = offsetof(thaw_layer_module, adopt_options);
    older.adopt_options = fail_to_adopt;
    cr_assert_eq(toy_append(model, &older, NULL, 0, -1), 1);
    older.size = sizeof older;
    thaw_node output;
    assert_fails(context, thaw_model_append(model, &older, NULL, first_layer, 1, NULL, &output), THAW_INTERNAL,
                 "a field past");
}

Test(append, reads_no_capability_past_the_size_of_a_module, .init = begin, .fini = end)
{
    const thaw_layer_capabilities offered = { .size = offsetof(thaw_layer_capabilities, adds),
                                              .activation = THAW_ACTIVATION_TANH,
                                              .adds = true };
    thaw_layer_module older = toy_pass;
    toy_append(model, &older, NULL, 0, -1);
    older.capabilities = &offered;
    toy_append(model, &older, NULL, 1, -1);
    older.size = offsetof(thaw_layer_module, capabilities);
    toy_append(model, &older, NULL, 2, -1);
    const thaw_activation expected[] = { THAW_ACTIVATION_NONE, THAW_ACTIVATION_TANH, THAW_ACTIVATION_NONE };
    for (size_t i = 0; i < THAW_COUNT(expected); i++) {
        cr_assert_eq(model->nodes[i + 1].capabilities->activation, expected[i], "layer %zu", i);
        cr_assert_not(model->nodes[i + 1].capabilities->adds, "layer %zu", i);
    }
}

Test(append, refuses_anything_behind_the_loss, .init = begin, .fini = end)
{
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
}

/* ---- out of memory ---- */

Test(append, leaves_nothing_where_memory_runs_out, .init = begin, .fini = end)
{
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
}
