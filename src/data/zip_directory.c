#include "data/zip_directory.h"

#include <errno.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

enum {
    END_BYTES = 22,
    LOCATOR_BYTES = 20,
    WIDE_END_BYTES = 56,
    ENTRY_BYTES = 46,
    LONGEST_COMMENT = 65535,
    MOST_DIRECTORY_BYTES = 1 << 26,
    WIDE_EXTRA = 1
};

/* Where the directory is. */
typedef struct place {
    uint64_t offset, bytes, count;
} place;

thaw_status thaw_zip_read_at(const thaw_zip_file *file, uint64_t offset, void *bytes, size_t count)
{
    if (offset > file->bytes || count > file->bytes - offset)
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: is cut short, or its directory is damaged", file->path);
    for (size_t done = 0; done < count;) {
        const ssize_t got =
            pread(file->descriptor, (char *)bytes + done, count - done, (off_t)(offset + (uint64_t)done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return thaw_fail(file->context, THAW_IO_ERROR, "%s: cannot read: %s", file->path, strerror(errno));
        if (got == 0)
            return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: is cut short", file->path);
        done += (size_t)got;
    }
    return THAW_OK;
}

/* ---- the end of the file ---- */

/* The last place in the tail that may be the end of a directory, whose comment reaches to the end of the file. */
static const uint8_t *find_end(const uint8_t *tail, size_t count)
{
    for (size_t i = count < END_BYTES ? 0 : count - END_BYTES + 1; i-- > 0;)
        if (memcmp(tail + i, "PK\5\6", 4) == 0 && thaw_zip_number(tail + i + 20, 2) == count - END_BYTES - i)
            return tail + i;
    return NULL;
}

/* The fields of an archive that is larger than 32 bits can say. */
static thaw_status read_wide_end(const thaw_zip_file *file, uint64_t end, place *directory)
{
    uint8_t locator[LOCATOR_BYTES], wide[WIDE_END_BYTES];
    if (end < LOCATOR_BYTES)
        return THAW_OK;
    thaw_status status = thaw_zip_read_at(file, end - LOCATOR_BYTES, locator, sizeof locator);
    if (status != THAW_OK || memcmp(locator, "PK\6\7", 4) != 0)
        return status;
    status = thaw_zip_read_at(file, thaw_zip_number(locator + 8, 8), wide, sizeof wide);
    if (status != THAW_OK)
        return status;
    if (memcmp(wide, "PK\6\6", 4) != 0)
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: the end of its directory is damaged", file->path);
    directory->count = thaw_zip_number(wide + 32, 8);
    directory->bytes = thaw_zip_number(wide + 40, 8);
    directory->offset = thaw_zip_number(wide + 48, 8);
    return THAW_OK;
}

static thaw_status find_directory(const thaw_zip_file *file, uint8_t *tail, size_t count, place *directory)
{
    thaw_status status = thaw_zip_read_at(file, file->bytes - count, tail, count);
    if (status != THAW_OK)
        return status;
    const uint8_t *end = find_end(tail, count);
    if (!end)
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: is no ZIP archive, or is cut short", file->path);
    if (thaw_zip_number(end + 4, 2) || thaw_zip_number(end + 6, 2))
        return thaw_fail(file->context, THAW_UNSUPPORTED, "%s: is a part of an archive of several files", file->path);
    *directory = (place){ .offset = thaw_zip_number(end + 16, 4),
                          .bytes = thaw_zip_number(end + 12, 4),
                          .count = thaw_zip_number(end + 10, 2) };
    status = read_wide_end(file, file->bytes - count + (uint64_t)(end - tail), directory);
    if (status != THAW_OK)
        return status;
    if (directory->bytes > MOST_DIRECTORY_BYTES || directory->count > directory->bytes / ENTRY_BYTES)
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: its directory is damaged", file->path);
    return THAW_OK;
}

/* ---- its entries ---- */

/* Replaces fields that are full of ones by those of the extra field, in their order. */
static bool widen(thaw_zip_member *member, const uint8_t *extra, size_t count)
{
    uint64_t *const fields[] = { &member->unpacked, &member->packed, &member->header };
    for (size_t at = 0; at + 4 <= count;) {
        const size_t bytes = (size_t)thaw_zip_number(extra + at + 2, 2);
        size_t inside = at + 4;
        if (bytes > count - inside)
            return false;
        at = inside + bytes;
        for (size_t i = 0; i < THAW_COUNT(fields) && thaw_zip_number(extra + inside - 4, 2) == WIDE_EXTRA; i++) {
            if (*fields[i] != UINT32_MAX)
                continue;
            if (at - inside < 8)
                return false;
            *fields[i] = thaw_zip_number(extra + inside, 8);
            inside += 8;
            if (i + 1 == THAW_COUNT(fields))
                return true;
        }
    }
    return true;
}

/* Reads the entry at *at, which then is the next; the name is moved in front of the rest of its entry, to have room for
   its terminating zero. */
static bool read_entry(char *bytes, size_t count, size_t *at, thaw_zip_member *member)
{
    if (count - *at < ENTRY_BYTES || memcmp(bytes + *at, "PK\1\2", 4) != 0)
        return false;
    char *entry = bytes + *at;
    const size_t name = (size_t)thaw_zip_number(entry + 28, 2), extra = (size_t)thaw_zip_number(entry + 30, 2);
    const size_t all = ENTRY_BYTES + name + extra + (size_t)thaw_zip_number(entry + 32, 2);
    if (all > count - *at)
        return false;
    *member = (thaw_zip_member){
        .flags = (unsigned)thaw_zip_number(entry + 8, 2),
        .method = (unsigned)thaw_zip_number(entry + 10, 2),
        .checksum = (uint32_t)thaw_zip_number(entry + 16, 4),
        .packed = thaw_zip_number(entry + 20, 4),
        .unpacked = thaw_zip_number(entry + 24, 4),
        .header = thaw_zip_number(entry + 42, 4),
        .name = entry,
    };
    if (!widen(member, (uint8_t *)entry + ENTRY_BYTES + name, extra) || memchr(entry + ENTRY_BYTES, '\0', name))
        return false;
    memmove(entry, entry + ENTRY_BYTES, name);
    entry[name] = '\0';
    *at += all;
    return true;
}

static thaw_status read_entries(const thaw_zip_file *file, const place *where, thaw_zip_directory *directory)
{
    const size_t bytes = (size_t)where->bytes;
    directory->bytes = thaw_allocate(file->context, bytes + 1);
    directory->members = thaw_allocate_array(file->context, (size_t)where->count + 1, sizeof *directory->members);
    if (!directory->bytes || !directory->members)
        return THAW_OUT_OF_MEMORY;
    const thaw_status status = thaw_zip_read_at(file, where->offset, directory->bytes, bytes);
    size_t at = 0;
    bool whole = true;
    while (status == THAW_OK && whole && directory->count < (size_t)where->count) {
        whole = read_entry(directory->bytes, bytes, &at, &directory->members[directory->count]);
        directory->count += whole;
    }
    if (status == THAW_OK && (!whole || at != bytes))
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: its directory is damaged", file->path);
    return status;
}

thaw_status thaw_zip_read_directory(const thaw_zip_file *file, thaw_zip_directory *directory)
{
    const size_t most = END_BYTES + LONGEST_COMMENT;
    const size_t count = file->bytes < most ? (size_t)file->bytes : most;
    place where = { 0 };
    uint8_t *tail = thaw_allocate(file->context, most);
    thaw_status status = tail ? find_directory(file, tail, count, &where) : THAW_OUT_OF_MEMORY;
    thaw_release(file->context, tail);
    return status == THAW_OK ? read_entries(file, &where, directory) : status;
}

void thaw_zip_release_directory(thaw_context *context, thaw_zip_directory *directory)
{
    thaw_release(context, directory->bytes);
    thaw_release(context, directory->members);
}
