#include "compare/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/open.h"
#include "core/text.h"

static thaw_status fail(thaw_context *context, const char *path, const char *what)
{
    return thaw_fail(context, THAW_IO_ERROR, "%s: cannot be %s: %s", path, what, strerror(errno));
}

thaw_status thaw_journal_path(thaw_context *context, const char *results, char **path)
{
    thaw_text text = { .context = context };
    thaw_text_append(&text, "%s.journal", results);
    return thaw_text_finish(&text, path);
}

/* ---------------------------------------------------------------- writing */

static bool write_all(int descriptor, const char *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(descriptor, bytes, count);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        count -= (size_t)written;
    }
    return true;
}

/* In one write, so that a killed process leaves a whole line or none, unless the disk is full. */
static thaw_status append_line(const thaw_journal *journal, const json_t *value)
{
    char *dump = json_dumps(value, JSON_COMPACT), *line = NULL;
    thaw_text text = { .context = journal->context };
    if (dump)
        thaw_text_append(&text, "%s\n", dump);
    free(dump);
    thaw_status status = thaw_text_finish(&text, &line);
    if (status == THAW_OK && !dump)
        status = thaw_fail(journal->context, THAW_OUT_OF_MEMORY, "%s: a line", journal->path);
    if (status == THAW_OK && (!write_all(journal->descriptor, line, strlen(line)) || fdatasync(journal->descriptor)))
        status = fail(journal->context, journal->path, "written");
    thaw_text_destroy(journal->context, line);
    return status;
}

thaw_status thaw_journal_begin(thaw_context *context, const char *results, const json_t *head, thaw_journal *journal)
{
    *journal = (thaw_journal){ .context = context, .descriptor = -1 };
    thaw_status status = thaw_journal_path(context, results, &journal->path);
    if (status != THAW_OK)
        return status;
    /* A file of its own: what is under the name already, a link too, is removed, and not what a link leads to. */
    if (unlink(journal->path) == 0 || errno == ENOENT)
        journal->descriptor =
            thaw_open(AT_FDCWD, journal->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_APPEND, 0666);
    status = journal->descriptor < 0 ? fail(context, journal->path, "made") : append_line(journal, head);
    if (status == THAW_OK)
        journal->head = lseek(journal->descriptor, 0, SEEK_END);
    else
        thaw_journal_end(journal, journal->descriptor >= 0);
    return status;
}

thaw_status thaw_journal_append(thaw_journal *journal, const json_t *run)
{
    return append_line(journal, run);
}

thaw_status thaw_journal_clear(thaw_journal *journal)
{
    return ftruncate(journal->descriptor, journal->head) == 0 ? THAW_OK
                                                              : fail(journal->context, journal->path, "shortened");
}

void thaw_journal_end(thaw_journal *journal, bool remove)
{
    if (remove)
        unlink(journal->path);
    if (journal->descriptor >= 0)
        close(journal->descriptor);
    thaw_text_destroy(journal->context, journal->path);
    *journal = (thaw_journal){ .descriptor = -1 };
}

/* ---------------------------------------------------------------- reading */

thaw_status thaw_journal_read(thaw_context *context, const char *path, json_t **lines)
{
    char *line = NULL;
    size_t room = 0;
    json_error_t error;
    thaw_status status = THAW_OK;
    *lines = json_array();
    FILE *file = thaw_open_stream(path);
    if (!file)
        return errno == ENOENT ? THAW_OK : fail(context, path, "read");
    for (ssize_t length; status == THAW_OK && (length = getline(&line, &room, file)) > 0 && line[length - 1] == '\n';)
        if (json_array_append_new(*lines, json_loadb(line, (size_t)length, JSON_REJECT_DUPLICATES, &error)) != 0)
            status =
                thaw_fail(context, THAW_BAD_FORMAT, "%s: line %zu: %s", path, json_array_size(*lines) + 1, error.text);
    if (status == THAW_OK && ferror(file))
        status = fail(context, path, "read");
    free(line);
    fclose(file);
    return status;
}
