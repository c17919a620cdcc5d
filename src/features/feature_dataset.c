#include "features/feature_dataset.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "data/dataset.h"

typedef struct reading {
    const thaw_feature_rows *rows;
    const size_t *indices;
    size_t count;
    float *samples;
    char *targets;
    atomic_int failure; /* errno, or -1 if the file ends; 0: none */
} reading;

/* Expands values to floats in place. They were read into the end of their buffer, so expanding blocks from the
   beginning only overwrites values that have been used. */
static void widen_in_place(thaw_context *context, float *values, size_t count)
{
    enum { BLOCK = 512 };
    const thaw_bfloat16 *from = (const thaw_bfloat16 *)(const void *)values + count;
    thaw_bfloat16 block[BLOCK];
    for (size_t first = 0; first < count; first += BLOCK) {
        const size_t length = count - first < BLOCK ? count - first : BLOCK;
        memcpy(block, from + first, length * sizeof *block);
        thaw_values_convert(context, (thaw_values){ values + first, THAW_F32 }, (thaw_values){ block, THAW_BF16 },
                            length);
    }
}

static void copy_pieces(const char *from, const struct iovec *pieces, size_t count)
{
    for (size_t i = 0; i < count; from += pieces[i++].iov_len)
        memcpy(pieces[i].iov_base, from, pieces[i].iov_len);
}

static void read_range(void *argument, size_t begin, size_t end)
{
    reading *into = argument;
    const thaw_feature_rows *rows = into->rows;
    struct iovec pieces[THAW_MOST_PIECES];
    float *places[THAW_MOST_PIECES];
    for (size_t i = begin; i < end; i++) {
        float *values = into->samples;
        for (size_t c = 0; c < rows->cut_count; values += into->count * rows->cuts[c++].count) {
            const thaw_feature_cut *from = &rows->cuts[c];
            places[c] = values + i * from->count;
            pieces[c] = (struct iovec){ (char *)(places[c] + from->count) - from->bytes, from->bytes };
        }
        pieces[rows->cut_count] = (struct iovec){ into->targets + i * rows->target_bytes, rows->target_bytes };
        if (rows->shares)
            copy_pieces(rows->found[i], pieces, rows->cut_count + 1);
        else if (!rows->storage->kind->read(rows->storage, thaw_feature_row(rows, into->indices[i]), pieces,
                                            (int)rows->cut_count + 1))
            atomic_store(&into->failure, errno ? errno : -1);
        for (size_t c = 0; c < rows->cut_count; c++)
            if (rows->cuts[c].dtype == THAW_BF16)
                widen_in_place(rows->context, places[c], rows->cuts[c].count);
    }
}

static bool read_rows(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                      size_t capacity)
{
    const thaw_feature_rows *rows = user;
    reading into = { .rows = rows, .indices = indices, .count = count, .samples = samples, .targets = targets };
    thaw_parallel_for(rows->context, count, 1, read_range, &into);
    const int failure = atomic_load(&into.failure);
    if (failure)
        snprintf(message, capacity, "the feature cache's file cannot be read: %s",
                 failure > 0 ? strerror(failure) : "it was cut short");
    return !failure;
}

static bool read_part(void *user, const size_t *indices, size_t all, thaw_shard_part part, float *samples,
                      void *targets, char *message, size_t capacity)
{
    const thaw_feature_rows *rows = user;
    if (thaw_feature_shares_read(rows->shares, indices, all, rows->found) == THAW_OK)
        return read_rows(user, indices + part.first, part.count, samples, targets, message, capacity);
    snprintf(message, capacity, "%s", thaw_context_message(rows->context));
    return false;
}

static void expect_rows(void *user, const size_t *indices, size_t count)
{
    const thaw_feature_rows *rows = user;
    for (size_t i = 0; i < count; i++)
        rows->storage->kind->expect(rows->storage, thaw_feature_row(rows, indices[i]));
}

/* Batches must be the same as in the epochs that filled the cache. */
static size_t length_of_row(void *user, size_t index)
{
    const thaw_feature_rows *rows = user;
    size_t length;
    thaw_dataset_lengths(rows->original, rows->view, &index, 1, &length);
    return length;
}

thaw_status thaw_feature_dataset_create(thaw_feature_rows *rows, thaw_dataset **dataset)
{
    thaw_source source = rows->original->source;
    source.length = thaw_dataset_has_lengths(rows->original) ? length_of_row : NULL;
    source.field_count = 0;
    source.sample_shape = (thaw_shape){ .rank = 1 };
    for (size_t c = 0; c < rows->cut_count; c++)
        source.sample_shape.dims[0] += (int64_t)rows->cuts[c].count;
    source.read = read_rows;
    source.start_epoch = NULL; /* the view is chosen between epochs */
    source.views = 0;
    source.release = NULL;
    source.user = rows;
    const thaw_status status = thaw_dataset_create(rows->context, &source, dataset);
    if (status == THAW_OK && rows->shares)
        (*dataset)->read_part = read_part;
    else if (status == THAW_OK && rows->storage->kind->expect)
        (*dataset)->expect = expect_rows;
    return status;
}
