/* thaw_weights_save_broken writes what thaw_weights_save refuses, and replaces nothing. */
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "support/files.h"
#include "support/support.h"

enum { INPUTS = 3, UNITS = 2, MOST_BYTES = 4096 };

static thaw_context *context;
static thaw_model *model;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    thaw_node x;
    support_make_directory(directory);
    support_path(path, directory, "broken.safetensors");
    context = support_context(1);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { INPUTS } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "d", .units = UNITS }, &x));
    thaw_parameter_edit(thaw_model_find_parameter(model, "d.bias"))[1] = -NAN;
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    support_remove_tree(directory);
}

static void assert_refuses(thaw_status status, thaw_status wanted, const char *message)
{
    cr_assert_eq(status, wanted);
    cr_assert(strstr(thaw_context_message(context), message), "%s", thaw_context_message(context));
}

Test(broken_weights, are_written_as_they_are_and_not_loaded, .init = begin, .fini = end)
{
    char file[MOST_BYTES];
    float stored[INPUTS * UNITS + UNITS];
    assert_refuses(thaw_weights_save(model, path), THAW_NOT_FINITE, "element 1 of d.bias is nan");
    cr_assert_neq(access(path, F_OK), 0);
    assert_ok(context, thaw_weights_save_broken(model, path));
    const long bytes = support_read_file(path, file, sizeof file);
    cr_assert(bytes > (long)sizeof stored && bytes < (long)sizeof file);
    memcpy(stored, file + bytes - sizeof stored, sizeof stored);
    const thaw_parameter *parameter = thaw_model_find_parameter(model, "d.bias");
    cr_assert(memmem(stored, sizeof stored, thaw_parameter_data(parameter), UNITS * sizeof(float)));
    parameter = thaw_model_find_parameter(model, "d.weight");
    cr_assert(memmem(stored, sizeof stored, thaw_parameter_data(parameter), INPUTS * UNITS * sizeof(float)));
    assert_refuses(thaw_weights_load(model, path, NULL, NULL), THAW_NOT_FINITE, "\"d.bias\" is nan");
}

Test(broken_weights, replace_no_file, .init = begin, .fini = end)
{
    char found[8];
    support_write_file(path, "good", 4);
    assert_refuses(thaw_weights_save_broken(model, path), THAW_INVALID_ARGUMENT, "exists");
    cr_assert_eq(support_read_file(path, found, sizeof found), 4);
    cr_assert_eq(memcmp(found, "good", 4), 0);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(symlink("nothing", path), 0);
    assert_refuses(thaw_weights_save_broken(model, path), THAW_INVALID_ARGUMENT, "exists");
    assert_refuses(thaw_weights_save_broken(model, NULL), THAW_INVALID_ARGUMENT, "missing");
}
