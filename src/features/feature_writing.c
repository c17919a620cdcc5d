#include "features/feature_writing.h"

#include <errno.h>
#include <string.h>

typedef struct writing {
    const thaw_feature_rows *rows;
    const thaw_feature_batch *batch;
    const char *values[THAW_MOST_PIECES];
    const bool *present;
    atomic_int *failure;
} writing;

/* Rounds in place what the layers have just written. The epoch that computes features then trains on the same values
   as the epochs that read them. */
static const void *round_values(thaw_context *context, const thaw_feature_cut *to, const float *values, size_t count)
{
    if (to->dtype == THAW_F32)
        return values;
    const thaw_values floats = { (void *)(uintptr_t)values, THAW_F32 }, rounded = { to->rounded, THAW_BF16 };
    thaw_values_convert(context, rounded, floats, count);
    thaw_values_convert(context, floats, rounded, count);
    return to->rounded;
}

/* Rows of the cache have the whole length. */
static const char *fill_rows(const thaw_feature_cut *to, const char *values, size_t bytes, size_t samples)
{
    if (bytes == to->bytes)
        return values;
    for (size_t i = 0; i < samples; i++) {
        memcpy(to->whole + i * to->bytes, values + i * bytes, bytes);
        memset(to->whole + i * to->bytes + bytes, 0, to->bytes - bytes);
    }
    return to->whole;
}

static void write_own(char *into, const struct iovec *pieces, size_t count)
{
    for (size_t i = 0; i < count; into += pieces[i++].iov_len)
        memcpy(into, pieces[i].iov_base, pieces[i].iov_len);
}

static void write_range(void *argument, size_t begin, size_t end)
{
    const writing *from = argument;
    const thaw_feature_rows *rows = from->rows;
    struct iovec pieces[THAW_MOST_PIECES];
    for (size_t i = begin; i < end; i++) {
        const size_t index = from->batch->indices[i], row = thaw_feature_row(rows, index);
        char *own = rows->shares ? thaw_feature_shares_own(rows->shares, index) : NULL;
        if (rows->shares ? !own : from->present[row])
            continue;
        for (size_t c = 0; c < rows->cut_count; c++)
            pieces[c] =
                (struct iovec){ (void *)(uintptr_t)(from->values[c] + i * rows->cuts[c].bytes), rows->cuts[c].bytes };
        pieces[rows->cut_count] =
            (struct iovec){ (void *)(uintptr_t)((const char *)from->batch->targets + i * rows->target_bytes),
                            rows->target_bytes };
        if (own)
            write_own(own, pieces, rows->cut_count + 1);
        else if (!rows->storage->kind->write(rows->storage, row, pieces, (int)rows->cut_count + 1))
            atomic_store(from->failure, errno ? errno : EIO);
    }
}

void thaw_feature_rows_write(const thaw_feature_rows *rows, const thaw_plan *plan, const thaw_feature_batch *batch,
                             const bool *present, atomic_int *failure)
{
    writing from = { .rows = rows, .batch = batch, .present = present, .failure = failure };
    for (size_t c = 0; c < rows->cut_count; c++) {
        const thaw_feature_cut *cut = &rows->cuts[c];
        const size_t values = thaw_shape_count(thaw_plan_shape(plan, cut->node));
        from.values[c] =
            fill_rows(cut, round_values(rows->context, cut, thaw_plan_output(plan, cut->node), batch->count * values),
                      values * thaw_dtype_bytes(cut->dtype), batch->count);
    }
    thaw_parallel_for(rows->context, batch->count, 1, write_range, &from);
}
