/* The feature cache's rows in a file: a header of 4096 bytes, then the rows. Each row is followed by a mark and a
   CRC-32 of the key, its index and its content. Numbers are in the machine's byte order, so a file is not portable.
   No mark for the whole file is needed: each row is checked by itself. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/open.h"
#include "features/feature_storage.h"

enum {
    HEADER_BYTES = 4096,
    FORMAT_VERSION = 1,
    NATIVE_ORDER = 0x01020304,
    WRITTEN = 0x57415448,
    ANNOUNCED_ROWS = 4096 /* how many, after a row that had to wait for the disk */
};

static const char MAGIC[8] = "THAWFEAT";

typedef struct header {
    char magic[8];
    uint32_t version, order;
    uint64_t count, row_bytes;
    uint64_t key[3];
} header;

typedef struct trailer {
    uint32_t mark, checksum;
} trailer;

typedef struct feature_file {
    thaw_feature_storage storage;
    const char *path;
    int file;
    header header;
    bool *present;
    atomic_bool unread;      /* no memory to check a row */
    atomic_size_t announced; /* rows to announce to the disk before they are read */
} feature_file;

size_t thaw_feature_file_row_bytes(size_t file_bytes, size_t count)
{
    const size_t rows = file_bytes > HEADER_BYTES ? (file_bytes - HEADER_BYTES) / count / THAW_ALIGNMENT : 0;
    return rows > 0 ? rows * THAW_ALIGNMENT - sizeof(trailer) : 0;
}

size_t thaw_feature_file_bytes(size_t count, size_t row_bytes)
{
    return row_bytes ? HEADER_BYTES + count * thaw_align(row_bytes + sizeof(trailer)) : 0;
}

static off_t place_of(const feature_file *file, size_t index)
{
    return HEADER_BYTES + (off_t)(index * thaw_align(file->storage.row_bytes + sizeof(trailer)));
}

static trailer make_trailer(const feature_file *file, size_t index, const struct iovec *pieces, int count)
{
    uint64_t number = index;
    uLong checksum = crc32(0, (const Bytef *)file->header.key, sizeof file->header.key);
    checksum = crc32(checksum, (const Bytef *)&number, sizeof number);
    for (int i = 0; i < count; i++)
        checksum = crc32_z(checksum, pieces[i].iov_base, pieces[i].iov_len);
    return (trailer){ WRITTEN, (uint32_t)checksum };
}

/* ---- rows ---- */

typedef ssize_t transfer(int file, const struct iovec *pieces, int count, off_t place);

/* Reads or writes a whole row, or fails with errno set; 0: the file ends. */
static bool move_row(transfer *move, int file, const struct iovec *pieces, int count, off_t place)
{
    struct iovec left[THAW_MOST_PIECES + 1];
    struct iovec *next = left;
    memcpy(left, pieces, (size_t)count * sizeof *left);
    while (count > 0) {
        errno = 0;
        ssize_t moved = move(file, next, count, place);
        if (moved < 0 && errno == EINTR)
            continue;
        if (moved <= 0)
            return false;
        place += moved;
        for (; count > 0 && (size_t)moved >= next->iov_len; next++, count--)
            moved -= (ssize_t)next->iov_len;
        if (count > 0) {
            next->iov_base = (char *)next->iov_base + moved;
            next->iov_len -= (size_t)moved;
        }
    }
    return true;
}

static bool write_row(thaw_feature_storage *storage, size_t index, const struct iovec *pieces, int count)
{
    const feature_file *file = (feature_file *)storage;
    struct iovec all[THAW_MOST_PIECES + 1];
    trailer end = make_trailer(file, index, pieces, count);
    memcpy(all, pieces, (size_t)count * sizeof *all);
    all[count] = (struct iovec){ &end, sizeof end };
    return move_row(pwritev, file->file, all, count + 1, place_of(file, index));
}

/* First tries to read from the page cache alone, which shows whether the disk must be waited for. */
static bool read_row(thaw_feature_storage *storage, size_t index, const struct iovec *pieces, int count)
{
    feature_file *file = (feature_file *)storage;
    const off_t place = place_of(file, index);
    if (preadv2(file->file, pieces, count, place, RWF_NOWAIT) == (ssize_t)storage->row_bytes)
        return true;
    atomic_store_explicit(&file->announced, ANNOUNCED_ROWS, memory_order_relaxed);
    return move_row(preadv, file->file, pieces, count, place);
}

/* Starts disk reads while the previous batch is trained on. Skipped if nothing needs the disk, because each
   announcement takes as long as reading some pages. */
static void expect_row(thaw_feature_storage *storage, size_t index)
{
    feature_file *file = (feature_file *)storage;
    const size_t left = atomic_load_explicit(&file->announced, memory_order_relaxed);
    if (left == 0)
        return;
    atomic_store_explicit(&file->announced, left - 1, memory_order_relaxed);
    posix_fadvise(file->file, place_of(file, index), (off_t)storage->row_bytes, POSIX_FADV_WILLNEED);
}

static void release(thaw_feature_storage *storage)
{
    feature_file *file = (feature_file *)storage;
    if (file->file >= 0)
        close(file->file);
    thaw_release(storage->context, file);
}

static const thaw_feature_storage_kind kind = { write_row, read_row, expect_row, release };

/* ---- opening ---- */

static void check_rows(void *argument, size_t begin, size_t end)
{
    feature_file *file = argument;
    char *content = thaw_allocate_raw(file->storage.context, file->storage.row_bytes);
    trailer found;
    const struct iovec pieces[2] = { { content, file->storage.row_bytes }, { &found, sizeof found } };
    for (size_t i = begin; content && i < end; i++) {
        if (!move_row(preadv, file->file, pieces, 2, place_of(file, i)) || found.mark != WRITTEN)
            continue;
        const trailer wanted = make_trailer(file, i, pieces, 1);
        file->present[i] = found.checksum == wanted.checksum;
    }
    if (!content)
        atomic_store(&file->unread, true);
    thaw_release(file->storage.context, content);
}

static thaw_status fail_on(const feature_file *file, const char *what)
{
    return thaw_fail(file->storage.context, THAW_IO_ERROR, "%s: cannot %s the feature cache: %s", file->path, what,
                     strerror(errno));
}

static bool make_empty(int file)
{
    int failed;
    do
        failed = ftruncate(file, 0);
    while (failed && errno == EINTR);
    return !failed;
}

/* Empties the file and reserves its space, so that a full disk shows before training. The header comes first: if the
   process is killed in between, the next run recognizes the file as a feature cache. */
static thaw_status begin_file(feature_file *file)
{
    const struct iovec piece = { &file->header, sizeof file->header };
    if (!make_empty(file->file))
        return fail_on(file, "empty");
    if (!move_row(pwritev, file->file, &piece, 1, 0))
        return fail_on(file, "write");
    const int reason = thaw_reserve(file->file, place_of(file, file->storage.count));
    if (reason == 0)
        return THAW_OK;
    if (!make_empty(file->file))
        thaw_log(file->storage.context, THAW_LOG_WARNING, "%s: cannot be emptied again: %s", file->path,
                 strerror(errno));
    errno = reason;
    return fail_on(file, "make room for");
}

/* Reads the first bytes of a file, which may be shorter. Returns how many; -1 after an error. */
static ssize_t read_beginning(int file, void *bytes, size_t most)
{
    size_t got = 0;
    while (got < most) {
        const ssize_t more = pread(file, (char *)bytes + got, most - got, (off_t)got);
        if (more < 0 && errno == EINTR)
            continue;
        if (more <= 0)
            return more < 0 ? -1 : (ssize_t)got;
        got += (size_t)more;
    }
    return (ssize_t)got;
}

/* Whether a file that begins with these bytes is a feature cache, and may be overwritten. */
static bool begins_as_cache(const char *bytes, ssize_t count)
{
    return count >= (ssize_t)sizeof MAGIC && memcmp(bytes, MAGIC, sizeof MAGIC) == 0;
}

/* Takes over the file's rows, or empties it. */
static thaw_status adopt(feature_file *file)
{
    header found = { 0 };
    const ssize_t got = read_beginning(file->file, &found, sizeof found);
    if (got < 0)
        return fail_on(file, "read");
    if (got > 0 && !begins_as_cache(found.magic, got))
        return thaw_fail(file->storage.context, THAW_BAD_FORMAT,
                         "%s: exists and is not a feature cache; name a file that may be overwritten", file->path);
    if (memcmp(&found, &file->header, sizeof found) == 0) {
        thaw_parallel_for(file->storage.context, file->storage.count, 64, check_rows, file);
        return atomic_load(&file->unread) ? thaw_fail(file->storage.context, THAW_OUT_OF_MEMORY,
                                                      "%s: no memory to check the feature cache", file->path)
                                          : THAW_OK;
    }
    if (got > 0)
        thaw_log(file->storage.context, THAW_LOG_INFO,
                 "%s: belongs to other weights, data or kernels; the feature cache is rebuilt", file->path);
    return begin_file(file);
}

static thaw_status open_file(feature_file *file)
{
    struct stat status;
    file->file = thaw_open(AT_FDCWD, file->path, O_RDWR | O_CREAT | O_NONBLOCK | O_NOCTTY, 0666);
    if (file->file < 0 || fstat(file->file, &status) != 0)
        return fail_on(file, "open");
    if (!S_ISREG(status.st_mode))
        return thaw_fail(file->storage.context, THAW_IO_ERROR, "%s: is not a regular file, as a feature cache must be",
                         file->path);
    if (flock(file->file, LOCK_EX | LOCK_NB) != 0)
        return errno == EWOULDBLOCK ? thaw_fail(file->storage.context, THAW_IO_ERROR,
                                                "%s: another process uses this feature cache", file->path)
                                    : fail_on(file, "lock");
    return adopt(file);
}

thaw_status thaw_feature_file_open(thaw_context *context, const char *path, const thaw_digest *key, size_t count,
                                   size_t row_bytes, bool *present, thaw_feature_storage **storage)
{
    *storage = NULL;
    feature_file *file = thaw_allocate(context, sizeof *file);
    if (!file)
        return THAW_OUT_OF_MEMORY;
    file->storage = (thaw_feature_storage){ &kind, context, count, row_bytes };
    file->path = path;
    file->present = present;
    file->header = (header){
        .version = FORMAT_VERSION,
        .order = NATIVE_ORDER,
        .count = count,
        .row_bytes = row_bytes,
        .key = { key->lane[0], key->lane[1], key->length },
    };
    memcpy(file->header.magic, MAGIC, sizeof MAGIC);
    const thaw_status status = open_file(file);
    if (status != THAW_OK) {
        release(&file->storage);
        return status;
    }
    *storage = &file->storage;
    return THAW_OK;
}

bool thaw_feature_file_is_free(const char *path)
{
    struct stat status;
    char magic[sizeof MAGIC] = { 0 };
    const int file = thaw_open(AT_FDCWD, path, O_RDWR | O_NONBLOCK | O_NOCTTY, 0);
    if (file < 0)
        return errno == ENOENT;
    const bool regular = fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    const bool ours = regular && flock(file, LOCK_EX | LOCK_NB) == 0;
    const ssize_t got = ours ? read_beginning(file, magic, sizeof magic) : -1;
    close(file);
    return got == 0 || begins_as_cache(magic, got);
}
