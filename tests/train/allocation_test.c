/* A compiled step allocates nothing: neither through the context's allocator nor behind its back. The linker sends what
   Thaw's own objects (and this test's) call to the counters below; oneDNN's inner bookkeeping stays outside. */

#include "support/allocator.h"
#include "support/combined_network.h"

static size_t heap_calls;

void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
int __real_posix_memalign(void **memory, size_t alignment, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
    heap_calls++;
    return __real_malloc(bytes);
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    heap_calls++;
    return __real_calloc(count, bytes);
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    heap_calls++;
    return __real_realloc(memory, bytes);
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    heap_calls++;
    return __real_posix_memalign(memory, alignment, bytes);
}

Test(allocation, the_counters_see_the_library)
{
    const size_t before = heap_calls;
    thaw_context *context = support_context(1);
    cr_assert_gt(heap_calls, before);
    thaw_context_destroy(context);
}

static thaw_model *make_plain(thaw_context *context)
{
    return support_network(context, true);
}

static thaw_model *make_bf16(thaw_context *context)
{
    thaw_model *model = support_network(context, true);
    assert_ok(context, thaw_model_set_precision(model, &(thaw_precision){ .all = THAW_BF16, .emulated = true }));
    return model;
}

static thaw_model *make_normalised(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } }, &x));
    assert_ok(context,
              thaw_conv2d(model, x, &(thaw_conv2d_options){ .name = "conv1", .filters = 3, .kernel = { 3, 3 } }, &x));
    assert_ok(context, thaw_batch_norm(model, x, NULL, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .units = NETWORK_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

static thaw_model *make_synced(thaw_context *context)
{
    thaw_model *model = make_normalised(context);
    thaw_model_set_sync_batch_norm(model, true);
    return model;
}

static void check_steps(thaw_model *(*make)(thaw_context *context), const char *optimizer,
                        const thaw_step_options *options)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = make(context);
    support_optimize(model, optimizer);
    assert_ok(context, thaw_model_freeze(model, "conv1"));
    assert_ok(context, support_step(model, 8, 1, options, NULL));
    const size_t calls = allocator.calls, heap = heap_calls;
    for (uint32_t step = 2; step < 12; step++)
        assert_ok(context, support_step(model, 8, step, options, NULL));
    cr_assert_eq(allocator.calls, calls, "%zu allocations in 10 steps", allocator.calls - calls);
    cr_assert_eq(heap_calls, heap, "%zu calls of the heap in 10 steps", heap_calls - heap);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}

Test(allocation, steps_allocate_nothing)
{
    check_steps(make_plain, "sgd:lr=0.01,momentum=0.9", NULL);
    check_steps(make_plain, "adam", &(thaw_step_options){ .clip_norm = 0.5 });
    check_steps(make_plain, "lookahead:k=2/cautious/adamw", NULL);
    check_steps(make_plain, "sam/adamw", NULL);
}

/* Shards of two sizes, in the second. */
Test(allocation, steps_in_shards_allocate_nothing)
{
    check_steps(make_plain, "adam", &(thaw_step_options){ .clip_norm = 0.5, .shards = 4 });
    check_steps(make_normalised, "sgd:lr=0.01", &(thaw_step_options){ .shards = 3 });
    check_steps(make_synced, "sgd:lr=0.01", &(thaw_step_options){ .shards = 3 });
    check_steps(support_combined_network, "adam", &(thaw_step_options){ .shards = 2 });
}

Test(allocation, steps_that_move_statistics_allocate_nothing)
{
    check_steps(make_normalised, "sgd:lr=0.01", NULL);
    check_steps(make_normalised, "sgd:lr=0.01", &(thaw_step_options){ .gradients_only = true });
}

Test(allocation, steps_in_bfloat16_allocate_nothing)
{
    skip_without_bfloat16();
    check_steps(make_bf16, "sgd:lr=0.01,momentum=0.9", NULL);
}

Test(allocation, steps_with_expressions_allocate_nothing)
{
    check_steps(support_combined_network, "adam", &(thaw_step_options){ .clip_norm = 0.5 });
}

typedef struct watch {
    const support_allocator *allocator;
    size_t calls, heap, grown;
} watch;

/* From the second step of each epoch on; the first may find buffers that the epoch's beginning made. */
static bool watch_step(void *user, const thaw_progress *progress)
{
    watch *seen = user;
    if (progress->step > 1)
        seen->grown += seen->allocator->calls - seen->calls + heap_calls - seen->heap;
    seen->calls = seen->allocator->calls;
    seen->heap = heap_calls;
    return true;
}

static void check_epochs(int64_t shards)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_model *model = support_network(context, true);
    thaw_dataset *data = support_samples(context, 50, 3);
    support_optimize(model, "adam");
    assert_ok(context, thaw_model_freeze(model, "conv*"));
    watch seen = { .allocator = &allocator };
    const thaw_fit_options options = { .epochs = 3,
                                       .batch = 16,
                                       .shards = shards,
                                       .cache_bytes = 1 << 20,
                                       .average_decay = 0.9,
                                       .on_step = watch_step,
                                       .user = &seen };
    assert_ok(context, thaw_fit(model, data, &options, NULL));
    cr_assert_eq(seen.grown, 0, "%zu allocations", seen.grown);
    thaw_dataset_destroy(data);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    cr_assert_eq(allocator.live, 0);
}

Test(allocation, epochs_allocate_nothing_between_steps)
{
    check_epochs(1);
    check_epochs(4);
}
