#include "data/unpack.h"

#include <errno.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "data/inflation.h"
#include "io/regular_file.h"

enum { INPUT_BYTES = 1 << 16, GZIP_ONLY = 16, MOST_OUTPUT = 1 << 30 };

struct thaw_unpacker {
    thaw_context *context;
    const char *path;
    int file;
    uint64_t file_bytes;
    bool gzip;
    bool between;  /* one gzip member has ended; only another may follow */
    bool finished; /* the file has no bytes beyond those in `input` */
    z_stream stream;
    const unsigned char *next; /* unused bytes of `input` */
    size_t left;
    unsigned char input[INPUT_BYTES];
};

/* Reads until `input` is full or the file ends. */
static thaw_status refill(thaw_unpacker *unpacker)
{
    unpacker->next = unpacker->input;
    unpacker->left = 0;
    while (unpacker->left < INPUT_BYTES && !unpacker->finished) {
        const ssize_t got = read(unpacker->file, unpacker->input + unpacker->left, INPUT_BYTES - unpacker->left);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return thaw_fail(unpacker->context, THAW_IO_ERROR, "%s: cannot read: %s", unpacker->path, strerror(errno));
        unpacker->finished = got == 0;
        unpacker->left += (size_t)got;
    }
    return THAW_OK;
}

static thaw_status begin(thaw_unpacker *unpacker)
{
    thaw_status status = refill(unpacker);
    if (status != THAW_OK || unpacker->left < 2 || unpacker->input[0] != 0x1f || unpacker->input[1] != 0x8b)
        return status;
    status = thaw_inflation_begin(unpacker->context, unpacker->path, MAX_WBITS + GZIP_ONLY, &unpacker->stream);
    unpacker->gzip = status == THAW_OK;
    return status;
}

thaw_status thaw_unpacker_open(thaw_context *context, const char *path, thaw_unpacker **unpacker)
{
    *unpacker = NULL;
    int file;
    uint64_t file_bytes;
    thaw_status status = thaw_regular_file_open(context, path, &file, &file_bytes);
    if (status != THAW_OK)
        return status;
    thaw_unpacker *made = thaw_allocate(context, sizeof *made);
    if (!made) {
        close(file);
        return THAW_OUT_OF_MEMORY;
    }
    made->context = context;
    made->path = path;
    made->file = file;
    made->file_bytes = file_bytes;
    status = begin(made);
    if (status == THAW_OK)
        *unpacker = made;
    else
        thaw_unpacker_close(made);
    return status;
}

void thaw_unpacker_close(thaw_unpacker *unpacker)
{
    if (!unpacker)
        return;
    if (unpacker->gzip)
        inflateEnd(&unpacker->stream);
    close(unpacker->file);
    thaw_release(unpacker->context, unpacker);
}

uint64_t thaw_unpacker_most_bytes(const thaw_unpacker *unpacker)
{
    return unpacker->gzip ? thaw_inflation_most(unpacker->file_bytes) : UINT64_MAX;
}

static thaw_status explain(const thaw_unpacker *unpacker, int result)
{
    thaw_context *context = unpacker->context;
    if (result == Z_MEM_ERROR)
        return thaw_inflation_starved(context, unpacker->path);
    if (result == Z_BUF_ERROR)
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: the gzip file is cut short", unpacker->path);
    if (unpacker->stream.total_out == 0 && unpacker->stream.total_in <= 2)
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: other bytes follow the gzip data", unpacker->path);
    return thaw_fail(context, THAW_BAD_FORMAT, "%s: the gzip data is broken: %s", unpacker->path,
                     unpacker->stream.msg ? unpacker->stream.msg : "no reason given");
}

/* One round of inflate: consumes some input and produces some output. */
static thaw_status inflate_some(thaw_unpacker *unpacker, void *bytes, size_t wanted, size_t *made)
{
    z_stream *stream = &unpacker->stream;
    if (unpacker->between)
        inflateReset(stream);
    unpacker->between = false;
    stream->next_in = (unsigned char *)(uintptr_t)unpacker->next;
    stream->avail_in = (uInt)unpacker->left;
    stream->next_out = bytes;
    stream->avail_out = (uInt)(wanted < MOST_OUTPUT ? wanted : MOST_OUTPUT);
    const uInt offered = stream->avail_out;
    const int result = inflate(stream, Z_NO_FLUSH);
    unpacker->next = stream->next_in;
    unpacker->left = stream->avail_in;
    *made = offered - stream->avail_out;
    unpacker->between = result == Z_STREAM_END;
    return result == Z_OK || result == Z_STREAM_END ? THAW_OK : explain(unpacker, result);
}

static size_t copy_some(thaw_unpacker *unpacker, void *bytes, size_t wanted)
{
    const size_t count = wanted < unpacker->left ? wanted : unpacker->left;
    memcpy(bytes, unpacker->next, count);
    unpacker->next += count;
    unpacker->left -= count;
    return count;
}

thaw_status thaw_unpacker_read(thaw_unpacker *unpacker, void *bytes, size_t wanted, size_t *got)
{
    *got = 0;
    while (*got < wanted) {
        if (unpacker->left == 0) {
            const thaw_status status = refill(unpacker);
            if (status != THAW_OK)
                return status;
            if (unpacker->left == 0 && (!unpacker->gzip || unpacker->between))
                return THAW_OK;
        }
        char *to = (char *)bytes + *got;
        size_t made = 0;
        if (unpacker->gzip) {
            const thaw_status status = inflate_some(unpacker, to, wanted - *got, &made);
            if (status != THAW_OK)
                return status;
        } else {
            made = copy_some(unpacker, to, wanted - *got);
        }
        *got += made;
    }
    return THAW_OK;
}

static thaw_status read_content(void *user, void *bytes, size_t wanted, size_t *got)
{
    return thaw_unpacker_read(user, bytes, wanted, got);
}

thaw_content thaw_unpacker_content(thaw_unpacker *unpacker)
{
    return (thaw_content){
        .context = unpacker->context,
        .name = unpacker->path,
        .most = unpacker->gzip ? thaw_unpacker_most_bytes(unpacker) : unpacker->file_bytes,
        .read = read_content,
        .user = unpacker,
    };
}
