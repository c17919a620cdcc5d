/* The labels of all samples of a data set. */
#include <string.h>

#include "core/allocation.h"
#include "data/dataset.h"

enum { CHUNK = 64 };

thaw_status thaw_dataset_check_labels(const thaw_dataset *dataset, const char *done)
{
    const char *lack = dataset->source.classes == 0            ? "it has no labels"
                       : dataset->source.target_shape.rank > 0 ? "each token of a sample has a label of its own"
                                                               : NULL;
    return lack
               ? thaw_fail(dataset->context, THAW_INVALID_ARGUMENT, "data set: %s, so classes cannot be %s", lack, done)
               : THAW_OK;
}

thaw_status thaw_dataset_collect_labels(thaw_dataset *from, int32_t *labels)
{
    thaw_context *context = from->context;
    const size_t count = from->source.count;
    if (from->labels) {
        memcpy(labels, from->labels, count * sizeof *labels);
        return THAW_OK;
    }
    size_t elements;
    float *samples = thaw_multiply_sizes(from->sample_elements, CHUNK, &elements)
                         ? thaw_allocate_array(context, elements, sizeof *samples)
                         : NULL;
    thaw_status status =
        samples ? THAW_OK : thaw_fail(context, THAW_OUT_OF_MEMORY, "data set: out of memory for the labels of samples");
    for (size_t begin = 0; begin < count && status == THAW_OK; begin += CHUNK) {
        const size_t size = count - begin < CHUNK ? count - begin : CHUNK;
        size_t indices[CHUNK];
        for (size_t i = 0; i < size; i++)
            indices[i] = begin + i;
        status = thaw_dataset_read(from, indices, size, samples, labels + begin);
    }
    thaw_release(context, samples);
    return status;
}

thaw_status thaw_dataset_count_classes(thaw_dataset *dataset, size_t *counts)
{
    thaw_context *context = dataset->context;
    const size_t count = dataset->source.count, classes = dataset->source.classes;
    thaw_status status = thaw_dataset_check_labels(dataset, "counted");
    if (status != THAW_OK)
        return status;
    int32_t *labels = thaw_allocate_array(context, count, sizeof *labels);
    status = labels ? thaw_dataset_collect_labels(dataset, labels) : THAW_OUT_OF_MEMORY;
    memset(counts, 0, classes * sizeof *counts);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        if (labels[i] >= 0 && (size_t)labels[i] < classes)
            counts[labels[i]]++;
    thaw_release(context, labels);
    return status;
}
