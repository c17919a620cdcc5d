/* Runs that the results file does not have yet: beside it, a file of lines. The first is the head of the results,
   and each other line is a run. Adding a run adds one line, however many there are; the results file is rewritten
   whole, which takes longer with each run.

   A line is a checksum of eight hexadecimal digits, a blank, and JSON: CRC-32C (masked, src/report/record.h) of the
   line with the checksum of the line before in that place, 00000000 in the first. So no changed, missing or
   exchanged line passes for a good one.

   The journal is also the lock of the results: whoever has it open is the one comparison that may read and write
   them. It exists as long as the comparison does. An empty one is like none. */
#ifndef THAW_COMPARE_JOURNAL_H
#define THAW_COMPARE_JOURNAL_H

#include <jansson.h>
#include <sys/types.h>
#include <thaw/context.h>

typedef struct thaw_journal {
    thaw_context *context;
    char *path;                       /* that of the results with ".journal" after it; NULL: there is no journal */
    int descriptor;                   /* -1: none */
    bool held;                        /* lines when it was opened */
    off_t head;                       /* bytes of the first line */
    uint32_t head_checksum, checksum; /* of the first line and of the last */
} thaw_journal;

/* Opens or makes the journal of a results file, and locks it. The file stays as it is. On failure `journal` holds
   nothing.
   Errors: THAW_IO_ERROR (also when another comparison has it, or when it is a link or no regular file),
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_open(thaw_context *context, const char *results, thaw_journal *journal);

/* The lines as an array, the head first, up to the first that is damaged or cut short; the log is warned of a
   damaged one. The caller releases it, on failure too. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_read(const thaw_journal *journal, json_t **lines);

/* Begins anew, with the head alone. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_begin(thaw_journal *journal, const json_t *head);

/* Adds a run, so that not even a power cut loses it. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_journal_append(thaw_journal *journal, const json_t *run);

/* Drops the runs, which the results now have. Errors: THAW_IO_ERROR. */
thaw_status thaw_journal_clear(thaw_journal *journal);

/* Drops everything, the head too. Errors: THAW_IO_ERROR. */
thaw_status thaw_journal_empty(thaw_journal *journal);

/* Unlocks and closes it, and removes the file if it is empty. */
void thaw_journal_close(thaw_journal *journal);

#endif
