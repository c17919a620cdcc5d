#include "data/text/whole_file.h"

#include "core/allocation.h"
#include "data/limit.h"
#include "data/unpack.h"

enum { PART_BYTES = 1 << 16 };

static thaw_status read_all(thaw_context *context, const char *path, thaw_unpacker *unpacker, char **text,
                            size_t *bytes)
{
    size_t capacity = 0;
    for (size_t got = PART_BYTES; got == PART_BYTES; *bytes += got) {
        thaw_status status = thaw_data_allow(context, path, *bytes, 1);
        char *grown = status == THAW_OK ? thaw_grow(context, *text, &capacity, *bytes + PART_BYTES + 1, 1) : NULL;
        if (!grown)
            return status == THAW_OK ? THAW_OUT_OF_MEMORY : status;
        *text = grown;
        status = thaw_unpacker_read(unpacker, *text + *bytes, PART_BYTES, &got);
        if (status != THAW_OK)
            return status;
    }
    (*text)[*bytes] = '\0';
    return THAW_OK;
}

thaw_status thaw_whole_file_read(thaw_context *context, const char *path, char **text, size_t *bytes)
{
    thaw_unpacker *unpacker;
    *text = NULL;
    *bytes = 0;
    thaw_status status = thaw_unpacker_open(context, path, &unpacker);
    if (status != THAW_OK)
        return status;
    status = read_all(context, path, unpacker, text, bytes);
    thaw_unpacker_close(unpacker);
    if (status != THAW_OK) {
        thaw_release(context, *text);
        *text = NULL;
    }
    return status;
}
