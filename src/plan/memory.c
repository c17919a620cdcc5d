/* Places buffers in one arena: the largest first, each at the lowest offset where it overlaps no other that is
   needed at the same time. Scratch comes before all others. As only one kernel uses scratch at a time, all scratch
   begins at offset 0, in the same cache lines for all kernels. */
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

static int by_rank(const void *left, const void *right)
{
    const thaw_memory_request *a = *(thaw_memory_request *const *)left, *b = *(thaw_memory_request *const *)right;
    if (a->scratch != b->scratch)
        return a->scratch ? -1 : 1;
    if (a->bytes != b->bytes)
        return a->bytes < b->bytes ? 1 : -1;
    return (a > b) - (a < b); /* by the order of requests, so that plans are deterministic */
}

static bool overlap_in_time(const thaw_memory_request *a, const thaw_memory_request *b)
{
    return a->first <= b->last && b->first <= a->last;
}

/* Inserts into a list that is sorted by offset. */
static void insert(thaw_memory_request **placed, size_t count, thaw_memory_request *request)
{
    size_t at = count;
    while (at > 0 && placed[at - 1]->offset > request->offset)
        at--;
    memmove(&placed[at + 1], &placed[at], (count - at) * sizeof placed[0]);
    placed[at] = request;
}

/* The lowest offset with room among those placed, which are sorted by offset. */
static size_t find_gap(thaw_memory_request *const *placed, size_t count, const thaw_memory_request *request)
{
    size_t offset = 0;
    for (size_t i = 0; i < count; i++) {
        if (!overlap_in_time(placed[i], request))
            continue;
        if (placed[i]->offset >= offset + thaw_align(request->bytes))
            break;
        const size_t end = placed[i]->offset + thaw_align(placed[i]->bytes);
        if (end > offset)
            offset = end;
    }
    return offset;
}

/* The end of the request; 0: it overflows. */
static size_t end_of(const thaw_memory_request *request)
{
    size_t end;
    if (request->bytes > SIZE_MAX - THAW_ALIGNMENT ||
        __builtin_add_overflow(request->offset, thaw_align(request->bytes), &end))
        return 0;
    return end;
}

thaw_status thaw_memory_place(thaw_context *context, thaw_memory_request *requests, size_t count, size_t *bytes)
{
    *bytes = 0;
    thaw_memory_request **sorted = thaw_allocate_array(context, 2 * count + 1, sizeof *sorted);
    if (!sorted)
        return THAW_OUT_OF_MEMORY;
    thaw_memory_request **placed = sorted + count;
    for (size_t i = 0; i < count; i++)
        sorted[i] = &requests[i];
    qsort(sorted, count, sizeof *sorted, by_rank);
    thaw_status status = THAW_OK;
    for (size_t i = 0; status == THAW_OK && i < count; i++) {
        sorted[i]->offset = find_gap(placed, i, sorted[i]);
        const size_t end = end_of(sorted[i]);
        if (end < sorted[i]->bytes)
            status = thaw_fail(context, THAW_OUT_OF_MEMORY, "the activations of a batch overflow a size");
        insert(placed, i, sorted[i]);
        if (end > *bytes)
            *bytes = end;
    }
    thaw_release(context, sorted);
    return status;
}

thaw_status thaw_pass_memory(thaw_plan *plan)
{
    return thaw_memory_place(plan->model->context, plan->requests, plan->request_count, &plan->arena_bytes);
}
