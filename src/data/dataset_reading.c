/* Reading a data set: its source serves one call at a time, and is told the epoch. */
#include <thaw/runtime.h>

#include "data/dataset.h"

void thaw_dataset_start_epoch(thaw_dataset *dataset, uint64_t epoch)
{
    pthread_mutex_lock(&dataset->reading);
    dataset->epoch = epoch;
    pthread_mutex_unlock(&dataset->reading);
}

/* The dataset is locked. */
static void enter_epoch(thaw_dataset *dataset, uint64_t epoch)
{
    const thaw_source *source = &dataset->source;
    const uint64_t now = source->views ? epoch % source->views : epoch;
    if (source->start_epoch && dataset->told != now)
        source->start_epoch(source->user, now);
    dataset->told = now;
}

bool thaw_dataset_fetch(thaw_dataset *dataset, uint64_t epoch, const size_t *indices, size_t count, float *samples,
                        void *targets, char *message, size_t capacity)
{
    const thaw_source *source = &dataset->source;
    message[0] = '\0';
    pthread_mutex_lock(&dataset->reading);
    enter_epoch(dataset, epoch);
    const bool done = source->read(source->user, indices, count, samples, targets, message, capacity);
    pthread_mutex_unlock(&dataset->reading);
    message[capacity - 1] = '\0';
    return done;
}

bool thaw_dataset_fetch_mapped(thaw_dataset *dataset, uint64_t epoch, size_t (*map)(const void *user, size_t index),
                               const void *user, const size_t *indices, size_t count, float *samples, void *targets,
                               char *message, size_t capacity)
{
    enum { CHUNK = 64 };
    for (size_t begin = 0; begin < count; begin += CHUNK) {
        const size_t size = count - begin < CHUNK ? count - begin : CHUNK;
        size_t mapped[CHUNK];
        for (size_t i = 0; i < size; i++)
            mapped[i] = map(user, indices[begin + i]);
        if (!thaw_dataset_fetch(dataset, epoch, mapped, size, samples + begin * dataset->sample_elements,
                                (char *)targets + begin * dataset->target_bytes, message, capacity))
            return false;
    }
    return true;
}

bool thaw_dataset_has_lengths(const thaw_dataset *dataset)
{
    return dataset->lengths || dataset->source.length;
}

void thaw_dataset_lengths(thaw_dataset *dataset, uint64_t epoch, const size_t *indices, size_t count, size_t *lengths)
{
    const thaw_source *source = &dataset->source;
    for (size_t i = 0; i < count && dataset->lengths; i++)
        lengths[i] = (size_t)dataset->lengths[indices[i]];
    if (dataset->lengths)
        return;
    pthread_mutex_lock(&dataset->reading);
    enter_epoch(dataset, epoch);
    for (size_t i = 0; i < count; i++)
        lengths[i] = source->length(source->user, indices[i]);
    pthread_mutex_unlock(&dataset->reading);
}

void thaw_dataset_log_findings(const thaw_dataset *dataset)
{
    if (dataset->log_findings)
        dataset->log_findings(dataset->source.user);
}

thaw_status thaw_dataset_read_epoch(thaw_dataset *dataset, uint64_t epoch, const size_t *indices, size_t count,
                                    float *samples, void *targets)
{
    for (size_t i = 0; i < count; i++)
        if (indices[i] >= dataset->source.count)
            return thaw_fail(dataset->context, THAW_INVALID_ARGUMENT, "data set: sample is %zu, must be below %zu",
                             indices[i], dataset->source.count);
    char message[THAW_SOURCE_MESSAGE_BYTES];
    const bool done = thaw_dataset_fetch(dataset, epoch, indices, count, samples, targets, message, sizeof message);
    thaw_dataset_log_findings(dataset);
    if (!done)
        return thaw_fail(dataset->context, THAW_IO_ERROR, "data set: %s",
                         message[0] ? message : "the source gave no reason");
    return THAW_OK;
}

thaw_status thaw_dataset_read(thaw_dataset *dataset, const size_t *indices, size_t count, float *samples, void *targets)
{
    pthread_mutex_lock(&dataset->reading);
    const uint64_t epoch = dataset->epoch;
    pthread_mutex_unlock(&dataset->reading);
    return thaw_dataset_read_epoch(dataset, epoch, indices, count, samples, targets);
}
