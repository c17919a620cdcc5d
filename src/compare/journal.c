#include "compare/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "core/context.h"
#include "core/open.h"
#include "core/text.h"
#include "report/record.h"

enum { CHECKSUM_DIGITS = 8 };

static thaw_status fail(const thaw_journal *journal, const char *what)
{
    return thaw_fail(journal->context, THAW_IO_ERROR, "%s: cannot %s: %s", journal->path, what, strerror(errno));
}

/* ---------------------------------------------------------------- opening */

/* Whether the path still leads to the open file: whoever had the lock before may have removed it. */
static bool is_in_place(const thaw_journal *journal, const struct stat *opened)
{
    struct stat there;
    return fstatat(AT_FDCWD, journal->path, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_dev == opened->st_dev &&
           there.st_ino == opened->st_ino;
}

static thaw_status lock(const thaw_journal *journal)
{
    int result;
    do
        result = flock(journal->descriptor, LOCK_EX | LOCK_NB);
    while (result != 0 && errno == EINTR);
    if (result == 0)
        return THAW_OK;
    if (errno == EWOULDBLOCK)
        return thaw_fail(journal->context, THAW_IO_ERROR, "%s: another run is writing these results", journal->path);
    thaw_log(journal->context, THAW_LOG_WARNING, "%s: cannot lock it: %s; another run could write the same results",
             journal->path, strerror(errno));
    return THAW_OK;
}

/* Opens and locks what is there; *settled is false if it was removed meanwhile. */
static thaw_status try_open(thaw_journal *journal, bool *settled)
{
    struct stat about;
    journal->descriptor =
        thaw_open(AT_FDCWD, journal->path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (journal->descriptor < 0)
        return fail(journal, "open");
    if (fstat(journal->descriptor, &about) != 0)
        return fail(journal, "examine");
    if (!S_ISREG(about.st_mode))
        return thaw_fail(journal->context, THAW_IO_ERROR, "%s: is not a regular file", journal->path);
    const thaw_status status = lock(journal);
    if (status != THAW_OK)
        return status;
    *settled = is_in_place(journal, &about);
    if (fstat(journal->descriptor, &about) != 0) /* its last writer may have ended since */
        return fail(journal, "examine");
    journal->held = about.st_size > 0;
    return THAW_OK;
}

static void release(thaw_journal *journal)
{
    if (journal->descriptor >= 0)
        close(journal->descriptor);
    thaw_text_destroy(journal->context, journal->path);
    *journal = (thaw_journal){ .descriptor = -1 };
}

thaw_status thaw_journal_open(thaw_context *context, const char *results, thaw_journal *journal)
{
    *journal = (thaw_journal){ .context = context, .descriptor = -1 };
    thaw_text text = { .context = context };
    thaw_text_append(&text, "%s.journal", results);
    thaw_status status = thaw_text_finish(&text, &journal->path);
    for (bool settled = false; status == THAW_OK && !settled;) {
        if (journal->descriptor >= 0)
            close(journal->descriptor);
        status = try_open(journal, &settled);
    }
    if (status != THAW_OK)
        release(journal);
    return status;
}

void thaw_journal_close(thaw_journal *journal)
{
    struct stat about;
    if (journal->descriptor >= 0 && fstat(journal->descriptor, &about) == 0 && about.st_size == 0 &&
        is_in_place(journal, &about))
        unlink(journal->path);
    release(journal);
}

/* ---------------------------------------------------------------- writing */

static void put_checksum(char *line, uint32_t checksum)
{
    char digits[CHECKSUM_DIGITS + 1];
    snprintf(digits, sizeof digits, "%08" PRIx32, checksum);
    memcpy(line, digits, CHECKSUM_DIGITS);
}

/* Puts in the checksum of the line before, and returns that of this one. */
static uint32_t chain(char *line, size_t length, uint32_t before)
{
    put_checksum(line, before);
    return thaw_masked_crc(line, length);
}

/* In one write: a kill leaves a whole line or none, unless the disk is full. */
static thaw_status append_line(thaw_journal *journal, const json_t *value)
{
    char *dump = json_dumps(value, JSON_COMPACT), *line = NULL;
    thaw_text text = { .context = journal->context };
    if (dump)
        thaw_text_append(&text, "%08x %s\n", 0U, dump);
    free(dump);
    thaw_status status = thaw_text_finish(&text, &line);
    if (status == THAW_OK && !dump)
        status = thaw_fail(journal->context, THAW_OUT_OF_MEMORY, "%s: a line", journal->path);
    if (status == THAW_OK) {
        const size_t length = strlen(line);
        const uint32_t checksum = chain(line, length - 1, journal->checksum);
        put_checksum(line, checksum);
        if (thaw_write_all(journal->descriptor, line, length) != 0 || fdatasync(journal->descriptor) != 0)
            status = fail(journal, "write");
        else
            journal->checksum = checksum;
    }
    thaw_text_destroy(journal->context, line);
    return status;
}

/* So that the file's name survives a power cut, too. Some file systems cannot sync directories. */
static thaw_status sync_directory(const thaw_journal *journal)
{
    const char *slash = strrchr(journal->path, '/');
    thaw_text text = { .context = journal->context };
    thaw_text_append(&text, "%.*s", slash ? (int)(slash - journal->path) + 1 : 1, slash ? journal->path : ".");
    char *directory;
    thaw_status status = thaw_text_finish(&text, &directory);
    if (status != THAW_OK)
        return status;
    const int descriptor = thaw_open(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY, 0);
    if (descriptor < 0 || (fsync(descriptor) != 0 && errno != EINVAL && errno != ENOTSUP))
        status = fail(journal, "sync its directory");
    if (descriptor >= 0)
        close(descriptor);
    thaw_text_destroy(journal->context, directory);
    return status;
}

static thaw_status shorten(thaw_journal *journal, off_t bytes, uint32_t checksum)
{
    int result;
    do
        result = ftruncate(journal->descriptor, bytes);
    while (result != 0 && errno == EINTR);
    if (result != 0)
        return fail(journal, "shorten");
    journal->checksum = checksum;
    return THAW_OK;
}

thaw_status thaw_journal_begin(thaw_journal *journal, const json_t *head)
{
    thaw_status status = thaw_journal_empty(journal);
    if (status == THAW_OK)
        status = append_line(journal, head);
    if (status == THAW_OK)
        status = sync_directory(journal);
    if (status != THAW_OK)
        return status;
    journal->head = lseek(journal->descriptor, 0, SEEK_END);
    if (journal->head < 0)
        return fail(journal, "examine");
    journal->head_checksum = journal->checksum;
    return THAW_OK;
}

thaw_status thaw_journal_append(thaw_journal *journal, const json_t *run)
{
    return append_line(journal, run);
}

thaw_status thaw_journal_clear(thaw_journal *journal)
{
    return shorten(journal, journal->head, journal->head_checksum);
}

thaw_status thaw_journal_empty(thaw_journal *journal)
{
    return shorten(journal, 0, 0);
}

/* ---------------------------------------------------------------- reading */

/* Whether the line, without its end, has the right checksum; *checksum becomes that. */
static bool is_whole(char *line, size_t length, uint32_t *checksum)
{
    char found[CHECKSUM_DIGITS], wanted[CHECKSUM_DIGITS];
    if (length <= CHECKSUM_DIGITS)
        return false;
    memcpy(found, line, CHECKSUM_DIGITS);
    const uint32_t right = chain(line, length, *checksum);
    put_checksum(wanted, right);
    *checksum = right;
    return memcmp(found, wanted, CHECKSUM_DIGITS) == 0;
}

static thaw_status read_lines(const thaw_journal *journal, FILE *file, json_t *lines)
{
    char *line = NULL;
    size_t room = 0;
    uint32_t checksum = 0;
    bool whole = true;
    thaw_status status = THAW_OK;
    for (ssize_t length; whole && status == THAW_OK && (length = getline(&line, &room, file)) > 0;) {
        if (line[length - 1] != '\n')
            break; /* cut short */
        json_t *value = NULL;
        if (is_whole(line, (size_t)length - 1, &checksum))
            value = json_loadb(line + CHECKSUM_DIGITS, (size_t)length - CHECKSUM_DIGITS, JSON_REJECT_DUPLICATES, NULL);
        whole = value != NULL;
        if (whole && json_array_append_new(lines, value) != 0)
            status = thaw_fail(journal->context, THAW_OUT_OF_MEMORY, "%s: a line", journal->path);
        if (!whole)
            thaw_log(journal->context, THAW_LOG_WARNING,
                     "%s: line %zu is damaged; the lines before it are kept, and the other runs are done again",
                     journal->path, json_array_size(lines) + 1);
    }
    if (status == THAW_OK && ferror(file))
        status = fail(journal, "read");
    free(line);
    return status;
}

thaw_status thaw_journal_read(const thaw_journal *journal, json_t **lines)
{
    *lines = json_array();
    const int copy = thaw_duplicate(journal->descriptor);
    FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;
    if (!file) {
        const thaw_status status = fail(journal, "read");
        if (copy >= 0)
            close(copy);
        return status;
    }
    rewind(file);
    const thaw_status status = read_lines(journal, file, *lines);
    fclose(file);
    return status;
}
