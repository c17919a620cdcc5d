/* What cannot be exported, and files that are as they were after it. */
#include <math.h>
#include <string.h>
#include <thaw/export.h>

#include "export/networks.h"
#include "support/allocator.h"
#include "support/files.h"
#include "support/network.h"
#include "support/toys.h"

enum { BYTES = 16 };

static thaw_context *context;
static thaw_model *model;
static thaw_node x;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
static const char old[BYTES] = "what was there";

static void begin(void)
{
    context = support_context(1);
    support_make_directory(directory);
    support_path(path, directory, "network.onnx");
    support_write_file(path, old, BYTES);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 1, { 4 } }, &x));
}

static void end(void)
{
    char bytes[BYTES];
    cr_assert_eq(support_read_file(path, bytes, BYTES), BYTES);
    cr_assert_eq(memcmp(bytes, old, BYTES), 0, "the old file is not as it was");
    cr_assert_eq(support_count_entries(directory), 1, "something is left beside the file");
    support_remove_directory(directory);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void append_dense(const char *name)
{
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = name, .units = 4 }, &x));
}

Test(export_refusals, a_layer_without_an_export_is_named, .init = begin, .fini = end)
{
    assert_ok(context, thaw_model_append(model, &toy_scale, "own", &x, 1, NULL, &x));
    append_dense("fc");
    assert_fails(context, thaw_export_onnx(model, path, NULL), THAW_UNSUPPORTED, "own: a layer of kind");
}

Test(export_refusals, a_layer_that_the_output_does_not_need_is_left_out)
{
    begin();
    thaw_node unused;
    assert_ok(context, thaw_model_append(model, &toy_scale, "own", &x, 1, NULL, &unused));
    append_dense("fc");
    support_path(path, directory, "other.onnx");
    assert_ok(context, thaw_export_onnx(model, path, NULL));
    support_remove_tree(directory);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static thaw_status says_nothing(const thaw_layer_export *layer)
{
    (void)layer;
    return THAW_OK;
}

static thaw_status says_none(const thaw_layer_export *layer)
{
    return thaw_onnx_output(layer, NULL, THAW_CHANNELS_LAST);
}

Test(export_refusals, an_export_without_an_output_is_named, .init = begin, .fini = end)
{
    thaw_layer_module silent = toy_scale;
    silent.export_onnx = says_nothing;
    assert_ok(context, thaw_model_append(model, &silent, "silent", &x, 1, NULL, &x));
    assert_fails(context, thaw_export_onnx(model, path, NULL), THAW_INVALID_ARGUMENT,
                 "silent: its export has no output");
    silent.export_onnx = says_none;
    assert_fails(context, thaw_export_onnx(model, path, NULL), THAW_INVALID_ARGUMENT,
                 "silent: its export has no output");
}

Test(export_refusals, weights_that_are_not_finite_stay_here, .init = begin, .fini = end)
{
    append_dense("fc");
    thaw_parameter_edit(thaw_model_find_parameter(model, "fc.weight"))[3] = NAN;
    assert_fails(context, thaw_export_onnx(model, path, NULL), THAW_NOT_FINITE, "fc.weight");
}

Test(export_refusals, paths_and_options, .init = begin, .fini = end)
{
    const thaw_onnx_options probabilities = { .probabilities = true };
    append_dense("probabilities");
    append_dense("fc");
    assert_fails(context, thaw_export_onnx(model, NULL, NULL), THAW_INVALID_ARGUMENT, "path");
    assert_fails(context, thaw_export_onnx(model, "/nowhere/network.onnx", NULL), THAW_IO_ERROR, "/nowhere");
    assert_fails(context, thaw_export_onnx(model, path, &probabilities), THAW_DUPLICATE, "probabilities");
}

/* Every allocation fails in turn, alone and with all after it; nothing leaks, and the old file stays. */
static void sweep(size_t index, bool fail_on)
{
    support_allocator allocator = { .fail_on = fail_on };
    thaw_context *scarce = support_context_on(&allocator);
    thaw_model *network = exported_network_build(scarce, index);
    const size_t live = allocator.live;
    size_t failures = 0;
    for (thaw_status status = THAW_OUT_OF_MEMORY; status != THAW_OK; failures++) {
        char bytes[BYTES];
        allocator.fail_at = allocator.calls + failures + 1;
        status = thaw_export_onnx(network, path, NULL);
        allocator.fail_at = 0;
        cr_assert_eq(allocator.live, live, "%s: failure %zu leaks", exported_network_at(index)->name, failures + 1);
        if (status == THAW_OK)
            break;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY, "%s: failure %zu: %s", exported_network_at(index)->name, failures + 1,
                     thaw_status_name(status));
        cr_assert_eq(support_read_file(path, bytes, BYTES), BYTES);
    }
    cr_assert_gt(failures, 8, "%s: %zu allocations", exported_network_at(index)->name, failures);
    support_write_file(path, old, BYTES);
    thaw_model_destroy(network);
    thaw_context_destroy(scarce);
}

Test(export_refusals, every_allocation_may_fail, .init = begin, .fini = end)
{
    for (size_t i = 0; i < exported_network_count(); i++)
        sweep(i, i % 2);
}
