/* What saving and loading do when memory runs out: every allocation fails in turn, the library's and jansson's. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "io/safetensors.h"
#include "support/allocator.h"
#include "support/files.h"
#include "support/holder.h"
#include "support/support.h"

static thaw_context *context;
static thaw_model *model;
static float before[HOLDER_FLOATS];
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    context = support_context(1);
    model = support_holder(context);
    support_holder_fill(model, 1);
    support_holder_copy(model, before);
    support_make_directory(directory);
    support_path(path, directory, "file.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* A file with something missing, unexpected and mis-shaped: every list of the result has texts. */
static void write_odd_file(void)
{
    static const float ones[] = { 1, 1, 1 };
    static const thaw_named_tensor tensors[] = { { "first.bias", { 1, { 2 } }, ones, THAW_F32 },
                                                 { "first.mean", { 1, { 3 } }, ones, THAW_F32 },
                                                 { "third", { 0, { 0 } }, ones, THAW_F32 } };
    assert_ok(context, thaw_safetensors_write(context, path, tensors, THAW_COUNT(tensors), NULL, 0, NULL));
}

static thaw_status save_all(thaw_model *holder)
{
    return thaw_weights_save(holder, path);
}

static thaw_status load_all(thaw_model *holder)
{
    thaw_load_result result;
    const thaw_load_options allow = { .allow_missing = true, .allow_unexpected = true, .allow_misshaped = true };
    const thaw_status status = thaw_weights_load(holder, path, &allow, &result);
    thaw_load_result_destroy(thaw_model_context(holder), &result);
    return status;
}

/* Every allocation fails in turn, alone and with all after it. */
static void sweep(thaw_status (*act)(thaw_model *holder), bool fail_on, size_t least)
{
    support_allocator allocator = { .fail_on = fail_on };
    thaw_context *failing = support_context_on(&allocator);
    thaw_model *holder = support_holder(failing);
    const size_t live = allocator.live;
    bool fired = true;
    for (size_t fail_at = 1; fired; fail_at++) {
        float now[HOLDER_FLOATS];
        support_holder_fill(holder, 1);
        allocator.calls = 0;
        allocator.fail_at = fail_at;
        const thaw_status status = act(holder);
        fired = allocator.calls >= fail_at;
        allocator.fail_at = 0;
        cr_assert(status == (fired ? THAW_OUT_OF_MEMORY : THAW_OK), "call %zu: %s", fail_at, thaw_status_name(status));
        cr_assert_eq(allocator.live, live, "call %zu leaks", fail_at);
        support_holder_copy(holder, now);
        cr_assert(!fired || memcmp(now, before, sizeof now) == 0, "call %zu: the model has changed", fail_at);
        cr_assert(fired || fail_at > least, "%zu allocations only", fail_at);
    }
    thaw_model_destroy(holder);
    thaw_context_destroy(failing);
    cr_assert_eq(allocator.live, 0);
}

Test(memory, every_allocation_may_fail, .init = begin, .fini = end)
{
    for (int fail_on = 0; fail_on < 2; fail_on++) {
        sweep(save_all, fail_on, 10);
        sweep(load_all, fail_on, 10);
        write_odd_file();
        sweep(load_all, fail_on, 10);
    }
}

/* ---- jansson's memory ---- */

static struct {
    size_t calls, fail_at, live;
} jansson;

static void *jansson_allocate(size_t bytes)
{
    void *memory = ++jansson.calls == jansson.fail_at ? NULL : malloc(bytes);
    jansson.live += memory != NULL;
    return memory;
}

static void jansson_release(void *memory)
{
    jansson.live -= memory != NULL;
    free(memory);
}

/* A header that it took for wrong is parsed again, so that one failure need not be one of the whole. */
static void sweep_jansson(thaw_status (*act)(thaw_model *holder))
{
    bool fired = true;
    for (size_t fail_at = 1; fired; fail_at++) {
        float now[HOLDER_FLOATS];
        support_holder_fill(model, 1);
        jansson.calls = 0;
        jansson.fail_at = fail_at;
        const thaw_status status = act(model);
        fired = jansson.calls >= fail_at;
        cr_assert(status == THAW_OK || (fired && status == THAW_OUT_OF_MEMORY), "call %zu: %s: %s", fail_at,
                  thaw_status_name(status), thaw_context_message(context));
        cr_assert_eq(jansson.live, 0, "call %zu leaks", fail_at);
        support_holder_copy(model, now);
        cr_assert(memcmp(now, before, sizeof now) == 0, "call %zu: the model has changed", fail_at);
        cr_assert(fired || fail_at > 50, "%zu allocations only", fail_at);
    }
}

Test(memory, every_allocation_of_the_json_parser_may_fail, .init = begin, .fini = end)
{
    json_set_alloc_funcs(jansson_allocate, jansson_release);
    sweep_jansson(save_all);
    sweep_jansson(load_all);
}
