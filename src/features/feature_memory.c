#include <string.h>

#include "core/allocation.h"
#include "features/feature_storage.h"

typedef struct feature_memory {
    thaw_feature_storage storage;
    char *bytes;
} feature_memory;

static bool write_row(thaw_feature_storage *storage, size_t index, const struct iovec *pieces, int count)
{
    char *to = ((feature_memory *)storage)->bytes + index * storage->row_bytes;
    for (int i = 0; i < count; to += pieces[i++].iov_len)
        memcpy(to, pieces[i].iov_base, pieces[i].iov_len);
    return true;
}

static bool read_row(thaw_feature_storage *storage, size_t index, const struct iovec *pieces, int count)
{
    const char *from = ((feature_memory *)storage)->bytes + index * storage->row_bytes;
    for (int i = 0; i < count; from += pieces[i++].iov_len)
        memcpy(pieces[i].iov_base, from, pieces[i].iov_len);
    return true;
}

static void release(thaw_feature_storage *storage)
{
    thaw_release(storage->context, ((feature_memory *)storage)->bytes);
    thaw_release(storage->context, storage);
}

static const thaw_feature_storage_kind kind = { write_row, read_row, NULL, release };

thaw_status thaw_feature_memory_create(thaw_context *context, size_t count, size_t row_bytes,
                                       thaw_feature_storage **storage)
{
    *storage = NULL;
    feature_memory *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->storage = (thaw_feature_storage){ &kind, context, count, row_bytes };
    /* Uncleared, so that pages are used only as they fill. */
    made->bytes = thaw_allocate_raw(context, count * row_bytes);
    if (!made->bytes) {
        thaw_release(context, made);
        return THAW_OUT_OF_MEMORY;
    }
    *storage = &made->storage;
    return THAW_OK;
}
