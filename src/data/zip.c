#include "data/zip.h"

#include <inttypes.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "data/inflation.h"
#include "data/zip_directory.h"
#include "io/regular_file.h"

enum { STORED = 0, DEFLATED = 8, ENCRYPTED = 1, HEADER_BYTES = 30, INPUT_BYTES = 1 << 16, MOST_OUTPUT = 1 << 30 };

struct thaw_zip {
    thaw_zip_file file;
    thaw_zip_directory directory;
    const thaw_zip_member *member; /* that is being read; NULL: none */
    char *name;                    /* of it, for messages */
    uint64_t next, left, done;     /* its next bytes in the file, how many, and the bytes of content so far */
    uLong checksum;                /* of them */
    bool inflating, ended, checked;
    z_stream stream;
    unsigned char input[INPUT_BYTES];
};

thaw_status thaw_zip_open(thaw_context *context, const char *path, thaw_zip **zip)
{
    thaw_zip_file file = { .context = context, .path = path };
    *zip = NULL;
    thaw_status status = thaw_regular_file_open(context, path, &file.descriptor, &file.bytes);
    if (status != THAW_OK)
        return status;
    thaw_zip *made = thaw_allocate(context, sizeof *made);
    if (!made) {
        close(file.descriptor);
        return THAW_OUT_OF_MEMORY;
    }
    made->file = file;
    status = thaw_zip_read_directory(&made->file, &made->directory);
    if (status == THAW_OK)
        *zip = made;
    else
        thaw_zip_close(made);
    return status;
}

size_t thaw_zip_count(const thaw_zip *zip)
{
    return zip->directory.count;
}

const char *thaw_zip_name(const thaw_zip *zip, size_t index)
{
    return zip->directory.members[index].name;
}

/* ---- reading a member ---- */

static thaw_status fail(const thaw_zip *zip, const char *fault)
{
    return thaw_fail(zip->file.context, THAW_BAD_FORMAT, "%s: %s", zip->name, fault);
}

static thaw_status read_stored(thaw_zip *zip, void *bytes, size_t wanted, size_t *got)
{
    *got = wanted < zip->left ? wanted : (size_t)zip->left;
    const thaw_status status = thaw_zip_read_at(&zip->file, zip->next, bytes, *got);
    zip->next += *got;
    zip->left -= *got;
    zip->ended = zip->left == 0;
    return status;
}

static thaw_status refill(thaw_zip *zip)
{
    const size_t count = zip->left < INPUT_BYTES ? (size_t)zip->left : INPUT_BYTES;
    const thaw_status status = thaw_zip_read_at(&zip->file, zip->next, zip->input, count);
    zip->next += count;
    zip->left -= count;
    zip->stream.next_in = zip->input;
    zip->stream.avail_in = (uInt)count;
    return status;
}

static thaw_status inflate_some(thaw_zip *zip, void *bytes, size_t wanted, size_t *got)
{
    z_stream *stream = &zip->stream;
    *got = 0;
    while (*got < wanted && !zip->ended) {
        if (stream->avail_in == 0 && zip->left) {
            const thaw_status status = refill(zip);
            if (status != THAW_OK)
                return status;
        }
        const size_t room = wanted - *got, offered = room < MOST_OUTPUT ? room : MOST_OUTPUT;
        stream->next_out = (unsigned char *)bytes + *got;
        stream->avail_out = (uInt)offered;
        const int result = inflate(stream, Z_NO_FLUSH);
        *got += offered - stream->avail_out;
        zip->ended = result == Z_STREAM_END;
        if (result == Z_MEM_ERROR)
            return thaw_inflation_starved(zip->file.context, zip->name);
        if (result != Z_OK && result != Z_STREAM_END)
            return fail(zip, result == Z_BUF_ERROR ? "its packed data end too early" : "its packed data are broken");
    }
    if (zip->ended && (stream->avail_in || zip->left))
        return fail(zip, "other bytes follow its packed data");
    return THAW_OK;
}

static thaw_status check_end(thaw_zip *zip)
{
    if (zip->done != zip->member->unpacked)
        return fail(zip, "has another length than the archive's directory says");
    if (zip->checksum != zip->member->checksum)
        return fail(zip, "its checksum is wrong");
    zip->checked = true;
    return THAW_OK;
}

static thaw_status read_member(void *user, void *bytes, size_t wanted, size_t *got)
{
    thaw_zip *zip = user;
    const uint64_t left = zip->member->unpacked - zip->done;
    size_t more = 0;
    char extra;
    *got = 0;
    thaw_status status = THAW_OK;
    const size_t ask = wanted < left ? wanted : (size_t)left;
    if (!zip->ended && ask)
        status = zip->inflating ? inflate_some(zip, bytes, ask, got) : read_stored(zip, bytes, ask, got);
    if (status == THAW_OK && *got)
        zip->checksum = crc32_z(zip->checksum, bytes, *got);
    zip->done += *got;
    /* The deflated data end where their last bits are read, which make no byte. */
    if (status == THAW_OK && zip->inflating && !zip->ended && zip->done == zip->member->unpacked)
        status = inflate_some(zip, &extra, 1, &more);
    if (status == THAW_OK && more)
        status = fail(zip, "has another length than the archive's directory says");
    if (status == THAW_OK && (*got < wanted || zip->done == zip->member->unpacked) && !zip->checked)
        status = check_end(zip);
    return status;
}

/* ---- beginning and ending one ---- */

static void end_member(thaw_zip *zip)
{
    if (zip->inflating)
        inflateEnd(&zip->stream);
    thaw_release(zip->file.context, zip->name);
    zip->name = NULL;
    zip->inflating = zip->ended = zip->checked = false;
    zip->done = 0;
    zip->checksum = crc32_z(0, NULL, 0);
}

static thaw_status name_member(thaw_zip *zip)
{
    const size_t bytes = strlen(zip->file.path) + strlen(": ") + strlen(zip->member->name) + 1;
    zip->name = thaw_allocate(zip->file.context, bytes);
    if (!zip->name)
        return THAW_OUT_OF_MEMORY;
    stpcpy(stpcpy(stpcpy(zip->name, zip->file.path), ": "), zip->member->name);
    return THAW_OK;
}

/* What can be known before anything is unpacked. */
static thaw_status check_member(const thaw_zip *zip)
{
    const thaw_zip_member *member = zip->member;
    thaw_context *context = zip->file.context;
    const uint64_t most = member->method == STORED ? member->packed : thaw_inflation_most(member->packed);
    if (member->flags & ENCRYPTED)
        return thaw_fail(context, THAW_UNSUPPORTED, "%s: is encrypted", zip->name);
    if (member->method != STORED && member->method != DEFLATED)
        return thaw_fail(context, THAW_UNSUPPORTED, "%s: is packed by method %u, must be stored or deflated", zip->name,
                         member->method);
    if (member->packed > zip->file.bytes || member->unpacked > most ||
        (member->method == STORED && member->unpacked != member->packed))
        return thaw_fail(context, THAW_BAD_FORMAT,
                         "%s: cannot have %" PRIu64 " bytes, the archive has %" PRIu64 " packed bytes of it", zip->name,
                         member->unpacked, member->packed);
    return THAW_OK;
}

/* The member's own header repeats the directory's entry, apart from the extra field. */
static thaw_status skip_header(thaw_zip *zip)
{
    uint8_t header[HEADER_BYTES];
    const thaw_zip_member *member = zip->member;
    const thaw_status status = thaw_zip_read_at(&zip->file, member->header, header, sizeof header);
    if (status != THAW_OK)
        return status;
    if (memcmp(header, "PK\3\4", 4) != 0 || thaw_zip_number(header + 8, 2) != member->method ||
        thaw_zip_number(header + 26, 2) != strlen(member->name))
        return fail(zip, "its header does not match the archive's directory");
    zip->next = member->header + HEADER_BYTES + thaw_zip_number(header + 26, 2) + thaw_zip_number(header + 28, 2);
    zip->left = member->packed;
    return THAW_OK;
}

static thaw_status begin_inflating(thaw_zip *zip)
{
    const thaw_status status = thaw_inflation_begin(zip->file.context, zip->name, -MAX_WBITS, &zip->stream);
    zip->inflating = status == THAW_OK;
    return status;
}

thaw_status thaw_zip_read_member(thaw_zip *zip, size_t index, thaw_content *content)
{
    end_member(zip);
    zip->member = &zip->directory.members[index];
    thaw_status status = name_member(zip);
    if (status == THAW_OK)
        status = check_member(zip);
    if (status == THAW_OK)
        status = skip_header(zip);
    if (status == THAW_OK && zip->member->method == DEFLATED)
        status = begin_inflating(zip);
    *content = (thaw_content){
        .context = zip->file.context,
        .name = zip->name,
        .most = zip->member->unpacked,
        .read = read_member,
        .user = zip,
    };
    return status;
}

void thaw_zip_close(thaw_zip *zip)
{
    if (!zip)
        return;
    end_member(zip);
    thaw_zip_release_directory(zip->file.context, &zip->directory);
    close(zip->file.descriptor);
    thaw_release(zip->file.context, zip);
}
