#include "data/batch_reader.h"

#include <stdio.h>

#include "core/allocation.h"
#include "data/shuffle.h"

thaw_status thaw_batch_reader_allocate(thaw_batch_reader *reader, size_t slots)
{
    const thaw_dataset *dataset = reader->dataset;
    thaw_context *context = reader->context;
    size_t sample_bytes, target_bytes;
    if (!thaw_multiply_sizes(reader->batch, dataset->sample_elements, &sample_bytes) ||
        !thaw_multiply_sizes(sample_bytes, sizeof(float), &sample_bytes) ||
        !thaw_multiply_sizes(reader->batch, dataset->target_bytes, &target_bytes))
        return thaw_fail(context, THAW_OUT_OF_MEMORY, "batches of %zu samples overflow a size", reader->batch);
    reader->order = thaw_allocate_array(context, dataset->source.count, sizeof *reader->order);
    if (!reader->order)
        return THAW_OUT_OF_MEMORY;
    if ((reader->shuffle || reader->by_length) && thaw_dataset_has_lengths(dataset)) {
        const size_t size = reader->shuffle ? thaw_length_window(dataset, reader->batch) : dataset->source.count;
        reader->window = thaw_allocate_array(context, size, sizeof *reader->window);
        if (!reader->window)
            return THAW_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < slots; i++) {
        reader->slots[i].samples = thaw_allocate_raw(context, sample_bytes);
        reader->slots[i].targets = thaw_allocate_raw(context, target_bytes);
        if (!reader->slots[i].samples || !reader->slots[i].targets)
            return THAW_OUT_OF_MEMORY;
    }
    return THAW_OK;
}

void thaw_batch_reader_release(thaw_batch_reader *reader)
{
    for (size_t i = 0; i < THAW_BATCH_SLOTS; i++) {
        thaw_release(reader->context, reader->slots[i].samples);
        thaw_release(reader->context, reader->slots[i].targets);
    }
    thaw_release(reader->context, reader->window);
    thaw_release(reader->context, reader->order);
}

void thaw_batch_reader_order(thaw_batch_reader *reader, thaw_batch_epoch epoch)
{
    const size_t count = reader->dataset->source.count;
    if (reader->shuffle)
        thaw_shuffle(reader->context, reader->seed, epoch.number, reader->order, count);
    else
        for (size_t i = 0; i < count; i++)
            reader->order[i] = i;
    if (reader->window && reader->shuffle)
        thaw_order_by_lengths(reader->dataset, reader->seed, epoch, reader->order, reader->batch, reader->window);
    else if (reader->window)
        thaw_sort_by_lengths(reader->dataset, epoch.samples, reader->order, count, reader->window);
}

const size_t *thaw_batch_reader_indices(const thaw_batch_reader *reader, size_t step, size_t *count)
{
    const size_t begin = step * reader->batch, left = reader->dataset->source.count - begin;
    *count = left < reader->batch ? left : reader->batch;
    return reader->order + begin;
}

/* Finds the sample at which the source fails, by reading them one by one. */
static void explain(thaw_batch_reader *reader, uint64_t epoch, const thaw_batch_slot *into, const char *reason)
{
    char again[THAW_SOURCE_MESSAGE_BYTES];
    for (size_t i = 0; i < into->count; i++) {
        if (thaw_dataset_fetch(reader->dataset, epoch, into->indices + i, 1, into->samples, into->targets, again,
                               sizeof again))
            continue;
        snprintf(reader->message, sizeof reader->message, "data set: sample %zu: %s", into->indices[i],
                 again[0] ? again : "the source gave no reason");
        return;
    }
    snprintf(reader->message, sizeof reader->message, "data set: the batch that begins with sample %zu: %s",
             into->indices[0], reason[0] ? reason : "the source gave no reason");
}

static void read_spread(thaw_batch_reader *reader, thaw_shard_part share, thaw_batch_slot *into)
{
    const thaw_dataset *dataset = reader->dataset;
    char reason[THAW_SOURCE_MESSAGE_BYTES];
    into->failed = !dataset->read_part(dataset->source.user, into->indices - share.first, into->all, share,
                                       into->samples, into->targets, reason, sizeof reason);
    if (into->failed)
        snprintf(reader->message, sizeof reader->message, "data set: %s", reason);
}

void thaw_batch_reader_read(thaw_batch_reader *reader, thaw_batch_epoch epoch, size_t step, thaw_batch_slot *into)
{
    char reason[THAW_SOURCE_MESSAGE_BYTES];
    into->indices = thaw_batch_reader_indices(reader, step, &into->all);
    const thaw_shard_part share = thaw_shard_part_of_range(into->all, reader->share);
    into->indices += share.first;
    into->first = share.first;
    into->count = share.count;
    if (reader->dataset->read_part) {
        read_spread(reader, share, into);
        return;
    }
    into->failed = into->count > 0 && !thaw_dataset_fetch(reader->dataset, epoch.samples, into->indices, into->count,
                                                          into->samples, into->targets, reason, sizeof reason);
    if (into->failed)
        explain(reader, epoch.samples, into, reason);
}
