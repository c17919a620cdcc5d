/* Runs that are not in the results file yet. They are in a JSON lines file beside it: first the head of the results,
   then one run per line. Appending a run takes the same time however many there are; writing the whole results file
   takes longer with each. */
#ifndef THAW_COMPARE_JOURNAL_H
#define THAW_COMPARE_JOURNAL_H

#include <jansson.h>
#include <sys/types.h>
#include <thaw/context.h>

typedef struct thaw_journal {
    thaw_context *context;
    char *path; /* the path of the results with ".journal" appended */
    int descriptor;
    off_t head; /* bytes of the first line */
} thaw_journal;

/* The path, for the caller to release (thaw_text_destroy). Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_path(thaw_context *context, const char *results, char **path);

/* Starts a new journal with only the head. On failure `journal` holds nothing. Errors: THAW_IO_ERROR,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_begin(thaw_context *context, const char *results, const json_t *head, thaw_journal *journal);

/* Adds a run durably: it survives a power cut. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_append(thaw_journal *journal, const json_t *run);

/* Drops the runs, which are now in the results. Errors: THAW_IO_ERROR. */
thaw_status thaw_journal_clear(thaw_journal *journal);

/* Closes it, and removes the file if the results hold everything. */
void thaw_journal_end(thaw_journal *journal, bool remove);

/* The lines of a journal as an array, the head first; empty if there is no file. A line without an end was cut short
   and is ignored. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_read(thaw_context *context, const char *path, json_t **lines);

#endif
