/* What a file of weights notes of a table. */
#ifndef THAW_DATA_TABLE_NOTED_H
#define THAW_DATA_TABLE_NOTED_H

#include <thaw/notes.h>

#include "data/table_form.h"

/* Whether the notes say how columns become inputs. NULL is allowed. */
bool thaw_table_is_noted(const thaw_notes *notes);

/* Reads the form that they note: inputs, targets, task and classes. Errors: THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_table_read_noted(const thaw_notes *notes, thaw_table_form *form);

/* The words of missing=, by thaw_missing. */
extern const char *const thaw_missing_words[3];

/* What the notes say of cells without a value: a thaw_missing, THAW_MISSING_ERROR without a note. NULL is allowed. */
size_t thaw_table_noted_missing(const thaw_notes *notes);

#endif
