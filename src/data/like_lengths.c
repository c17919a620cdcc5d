#include "data/like_lengths.h"

#include "data/shuffle.h"

/* No two are equal, so that the order does not depend on how it is sorted. */
static bool is_before(const thaw_like_length *one, const thaw_like_length *other)
{
    return one->length != other->length ? one->length < other->length : one->place < other->place;
}

static void exchange(thaw_like_length *one, thaw_like_length *other)
{
    const thaw_like_length kept = *one;
    *one = *other;
    *other = kept;
}

static void sift_down(thaw_like_length *heap, size_t root, size_t count)
{
    for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        if (child + 1 < count && is_before(&heap[child], &heap[child + 1]))
            child++;
        if (!is_before(&heap[root], &heap[child]))
            return;
        exchange(&heap[root], &heap[child]);
        root = child;
    }
}

/* Heapsort (Williams 1964), since qsort may allocate. */
static void sort(thaw_like_length *all, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sift_down(all, i, count);
    for (size_t left = count; left-- > 1;) {
        exchange(&all[0], &all[left]);
        sift_down(all, 0, left);
    }
}

void thaw_sort_by_lengths(thaw_dataset *dataset, uint64_t epoch, size_t *order, size_t count, thaw_like_length *window)
{
    for (size_t i = 0; i < count; i++) {
        window[i] = (thaw_like_length){ .place = i, .sample = order[i] };
        thaw_dataset_lengths(dataset, epoch, &order[i], 1, &window[i].length);
    }
    sort(window, count);
    for (size_t i = 0; i < count; i++)
        order[i] = window[i].sample;
}

size_t thaw_length_window(const thaw_dataset *dataset, size_t batch)
{
    const size_t count = dataset->source.count;
    return count / THAW_LENGTH_WINDOW < batch ? count : THAW_LENGTH_WINDOW * batch;
}

void thaw_order_by_lengths(thaw_dataset *dataset, uint64_t seed, thaw_batch_epoch epoch, size_t *order, size_t batch,
                           thaw_like_length *window)
{
    const size_t batches = dataset->source.count / batch, all = batches * batch;
    const size_t step = thaw_length_window(dataset, batch);
    for (size_t first = 0; first < all; first += step)
        thaw_sort_by_lengths(dataset, epoch.samples, order + first, all - first < step ? all - first : step, window);
    thaw_shuffle_batches(dataset->context, seed, epoch.number, order, batches, batch);
}
