/* What the columns of a table are, and how their cells become numbers. */
#ifndef THAW_DATA_TABLE_FORM_H
#define THAW_DATA_TABLE_FORM_H

#include <thaw/data.h>

#include "data/table.h"
#include "data/words.h"

enum { THAW_MOST_CATEGORIES = 256 };

/* A column that is an input. */
typedef struct thaw_table_column {
    const char *name;
    const char *const *categories; /* NULL: a number */
    size_t category_count;
    double mean, deviation; /* of numbers, in the training part */
} thaw_table_column;

/* Starts as zero, except the context. Texts are in `words`. */
typedef struct thaw_table_form {
    thaw_context *context;
    thaw_task task;
    thaw_words labels;  /* names of the columns that are targets */
    thaw_words classes; /* names of the classes, for THAW_TASK_CLASSES */
    thaw_words words;   /* of the inputs: name, "number", mean and deviation, or name, "category", count and names */
    thaw_table_column *columns;
    size_t column_count;
    size_t width;    /* of a sample */
    bool keeps_rows; /* a row that lacks a target cannot be left out */
} thaw_table_form;

/* What the user says of a table. Names are separated by commas; NULL: none. */
typedef struct thaw_table_wishes {
    const char *labels, *categories, *skipped;
    bool has_task;
    thaw_task task;
} thaw_table_wishes;

/* Finds the targets alone: the wishes' labels. Errors: THAW_NOT_FOUND. */
thaw_status thaw_table_form_label(thaw_table_form *form, const thaw_table *table, const thaw_table_wishes *wishes);

/* Makes the inputs of a form from a table whose targets are known: numbers are standardised by the rows that are not
   marked as test data (NULL: none are). Errors: THAW_BAD_FORMAT, THAW_NOT_FOUND, THAW_OUT_OF_MEMORY. */
thaw_status thaw_table_form_fit(thaw_table_form *form, const thaw_table *table, const thaw_table_wishes *wishes,
                                const bool *tests);

/* Finds out what the targets are: the task, and classes. Errors: THAW_BAD_FORMAT, THAW_INVALID_ARGUMENT,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_table_form_fit_targets(thaw_table_form *form, const thaw_table *table,
                                        const thaw_table_wishes *wishes);

/* Reads the columns from `words`, for a form that a file of weights notes. `what` names them in messages. Errors:
   THAW_BAD_FORMAT, THAW_OUT_OF_MEMORY. */
thaw_status thaw_table_form_read(thaw_table_form *form, const char *what);

/* Finds each column of the form in a table: first the inputs, then the targets. Errors: THAW_NOT_FOUND. */
thaw_status thaw_table_form_find(const thaw_table_form *form, const thaw_table *table, size_t *columns);

void thaw_table_form_release(thaw_table_form *form);

#endif
