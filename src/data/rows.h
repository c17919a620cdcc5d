/* Rows of a table or an array as samples for a trained network: without targets. */
#ifndef THAW_DATA_ROWS_H
#define THAW_DATA_ROWS_H

#include <thaw/notes.h>

#include "data/samples.h"

/* Whether the text describes rows, as for thaw_rows_read: it begins with "csv:" or "npy:", or is the path of a file with
   such a name. */
bool thaw_rows_are_described(const char *text);

/* Reads "csv:FILE[;OPTIONS]", "npy:FILE[;OPTIONS]" or such a path: columns of a table are found by the names that the
   notes have, and become inputs as these say. An array has its samples as they are; if the notes are of a table, its
   columns are those, in their order. Options of targets and of splits have no effect. *lines, which the caller frees, has
   the line of each row of a table, and is NULL for an array. `samples` starts as zero, except the context; only its
   inputs are set. Errors: those of thaw_dataset_open_noted; THAW_UNSUPPORTED (a table, whose columns are not noted). */
thaw_status thaw_rows_read(const thaw_notes *notes, const char *text, thaw_samples *samples, size_t **lines);

#endif
