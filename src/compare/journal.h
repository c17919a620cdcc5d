/* Runs that the file of results does not hold yet: beside it, a file of JSON lines, the first of which is the head of
   the results and each other a run. A run is a line more, however many there are; the file of results is written whole
   and takes longer with each. */
#ifndef THAW_COMPARE_JOURNAL_H
#define THAW_COMPARE_JOURNAL_H

#include <jansson.h>
#include <sys/types.h>
#include <thaw/context.h>

typedef struct thaw_journal {
    thaw_context *context;
    char *path; /* that of the results with ".journal" after it */
    int descriptor;
    off_t head; /* bytes of the first line */
} thaw_journal;

/* The path, for the caller to release (thaw_text_destroy). Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_path(thaw_context *context, const char *results, char **path);

/* Begins anew, with the head alone. On failure `journal` holds nothing. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_begin(thaw_context *context, const char *results, const json_t *head, thaw_journal *journal);

/* Adds a run, so that not even a power cut loses it. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_append(thaw_journal *journal, const json_t *cell);

/* Drops the runs, which the results hold now. Errors: THAW_IO_ERROR. */
thaw_status thaw_journal_clear(thaw_journal *journal);

/* Closes it, and removes the file where the results hold everything. */
void thaw_journal_end(thaw_journal *journal, bool remove);

/* The lines of a journal as an array, the head first; empty where there is no file. A line without an end was cut short,
   and is no run. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_read(thaw_context *context, const char *path, json_t **lines);

#endif
