/* Networks in shared objects: what is built, and what is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/network_module.h>
#include <thaw/notes.h>
#include <thaw/predictor.h>
#include <thaw/weights.h>
#include <thaw/zoo.h>

#include "support/files.h"
#include "support/support.h"

static thaw_context *context;
static thaw_model *model;
static char text[1200];

static void begin(void)
{
    context = support_context(1);
    assert_ok(context, thaw_model_create(context, &model));
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

TestSuite(own_network, .init = begin, .fini = end);

static const char *object(const char *name, const char *options)
{
    snprintf(text, sizeof text, "%s/%s.so%s", getenv("THAW_MODULES"), name, options);
    return text;
}

Test(own_network, is_built_with_its_options)
{
    thaw_node node;
    assert_ok(context, thaw_zoo_network(model, object("own_network", ":width=8,input=12x12x3,blocks=1"), 4, &node));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, 0), &(thaw_shape){ 3, { 12, 12, 3 } }));
    cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 1, { 4 } }));
    cr_assert_eq(thaw_model_summary_totals(model).total_parameters, 27 * 8 + 8 + 72 * 8 + 8 + 2 * 2 * 8 * 4 + 4);
    cr_assert_str_eq(thaw_notes_find(thaw_model_notes(model), "thaw.model"), text);
    cr_assert_str_eq(thaw_notes_find(thaw_model_notes(model), "thaw.outputs"), "4");
    thaw_model_destroy(model);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, object("own_network", ""), 0));
    cr_assert_eq(thaw_model_summary_totals(model).total_parameters,
                 9 * 16 + 16 + 2 * (144 * 16 + 16) + 6 * 6 * 16 * 10 + 10);
    assert_fails(context, thaw_zoo_build(model, text, 0), THAW_INVALID_ARGUMENT, "the model must be empty");
}

Test(own_network, options_are_checked_by_name_and_range)
{
    const struct {
        const char *options;
        thaw_status status;
        const char *message;
    } cases[] = {
        { ":widht=8", THAW_NOT_FOUND, "unknown hyper-parameter of own_network \"widht\", did you mean \"width\"?" },
        { ":width=0", THAW_INVALID_ARGUMENT, "own_network: width is 0, must be from 1 to 1024" },
        { ":input=8x8", THAW_INVALID_ARGUMENT, "own_network: \"input=8x8\", must be a number of features" },
        { ":input=8,input=8", THAW_INVALID_ARGUMENT, "input is given twice" },
        { ":head=linear", THAW_NOT_FOUND, "unknown hyper-parameter of own_network \"head\"" },
        { ":width", THAW_INVALID_ARGUMENT, "must be NAME=VALUE" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const char *description = object("own_network", cases[i].options);
        assert_fails(context, thaw_zoo_check(context, description), cases[i].status, cases[i].message);
        assert_fails(context, thaw_zoo_build(model, description, 0), cases[i].status, cases[i].message);
    }
    cr_assert_eq(thaw_model_node_count(model), 0);
}

Test(own_network, refuses_shared_objects_of_other_kinds)
{
    static const struct {
        const char *object, *message;
    } cases[] = {
        { "other_abi", "it is not a network module: its abi is 0x4f500002, must be 0x4e450001" },
        { "older", "it is not a network module: its abi is 0x4f500001, must be 0x4e450001" },
        { "layer", "it is not a network module: its abi is 0x4c410001, must be 0x4e450001" },
        { "headless", "it is not a network module: its abi is 0x00000000" },
        { "tiny", "its thaw_module has 4 bytes, must have at least 16" },
        { "function", "its thaw_module is not a readable object, must be a const thaw_network_module" },
        { "resolved", "its thaw_module is not a readable object" },
        { "nothing", "it does not define thaw_module" },
        { "integer", "its thaw_module has 4 bytes, must have at least 16" },
        { "address", "its thaw_module has 8 bytes, must have at least 16" },
        { "string", "it is not a network module: its abi is 0x" },
        { "floats", "it is not a network module: its abi is 0x40400000" },
        { "own_thread", "its thaw_module is not a readable object" },
        { "absolute", "its thaw_module is not a readable object" },
        { "untyped", "its thaw_module is not a readable object" },
        { "boundless", "its thaw_module is not a readable object" },
        { "odd_place", "its thaw_module is not aligned as a thaw_network_module is" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        char name[64] = "module-";
        const char *path = object(strcat(name, cases[i].object), "");
        assert_fails(context, thaw_zoo_check(context, path), THAW_BAD_FORMAT, cases[i].message);
        assert_fails(context, thaw_zoo_build(model, path, 2), THAW_BAD_FORMAT, path);
    }
    assert_fails(context, thaw_zoo_build(model, "./nowhere/net.so", 2), THAW_IO_ERROR,
                 "network module ./nowhere/net.so");
    assert_fails(context, thaw_zoo_build(model, "/", 2), THAW_IO_ERROR, "is not a regular file");
}

Test(own_network, refuses_network_modules_that_break_the_rules)
{
    static const struct {
        const char *object;
        thaw_status status;
        const char *message;
    } cases[] = {
        { "version", THAW_BAD_FORMAT, "it was compiled for version 2 of the abi, must be version 1" },
        { "buildless", THAW_BAD_FORMAT, "it has no build function" },
        { "nameless", THAW_BAD_FORMAT, "its name is missing" },
        { "shapeless", THAW_BAD_FORMAT, "its sample_shape is not a shape" },
        { "too_many", THAW_BAD_FORMAT, "more hyper-parameters than the limits" },
        { "no_input", THAW_INVALID_ARGUMENT, "odd: needs input=SHAPE" },
        { "wrong_node", THAW_INVALID_ARGUMENT, "odd: its build returns node 77, which is none of its layers" },
        { "input_node", THAW_INVALID_ARGUMENT, "odd: its build returns node 0" },
        { "wrong_shape", THAW_SHAPE_MISMATCH, "odd: its outputs have shape [3], must have [2]" },
        { "own_loss", THAW_INVALID_ARGUMENT, "odd: its build ends with a loss" },
        { "odd_status", THAW_INVALID_ARGUMENT, "odd: its build returns 1234, which is no status" },
        { "failing", THAW_INVALID_ARGUMENT, "units" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        char name[64] = "network-";
        thaw_model *fresh;
        assert_ok(context, thaw_model_create(context, &fresh));
        assert_fails(context, thaw_zoo_build(fresh, object(strcat(name, cases[i].object), ""), 2), cases[i].status,
                     cases[i].message);
        thaw_model_destroy(fresh);
    }
}

/* A file must not make a program run code that its user did not name. */
Test(own_network, a_file_of_weights_loads_no_code)
{
    char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
    thaw_predictor *predictor;
    support_make_directory(directory);
    support_path(path, directory, "weights.safetensors");
    assert_ok(context, thaw_zoo_build(model, object("own_network", ":width=4"), 3));
    assert_ok(context, thaw_weights_save(model, path));
    assert_fails(context, thaw_predictor_open(context, path, NULL, &predictor), THAW_INVALID_ARGUMENT,
                 "which is only loaded if the options name it");
    assert_ok(context, thaw_predictor_open(context, path, &(thaw_predictor_options){ .model = text }, &predictor));
    cr_assert_eq(thaw_predictor_classes(predictor), 3);
    thaw_predictor_destroy(predictor);
    support_remove_directory(directory);
}
