/* The figures of a classifier by class, as files. */
#ifndef THAW_REPORT_CLASSIFIED_H
#define THAW_REPORT_CLASSIFIED_H

#include <thaw/classification.h>

#include "core/text.h"

/* What was measured. Borrows everything. */
typedef struct thaw_classified {
    const thaw_classification *counts;
    thaw_classification_figures all;
    const thaw_class_figures *classes; /* by class */
    const char *const *names;          /* of each class */
    double loss;                       /* NAN: unknown */
    const char *model, *data, *weights, *command;
} thaw_classified;

/* Replaces a file by a table with a row for each class: its figures, and the samples that were taken for each class.
   Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_classified_write_csv(thaw_context *context, const thaw_classified *classified, const char *path);

/* Replaces a file by a page of HTML that needs no network. Errors: as above. */
thaw_status thaw_classified_write_page(thaw_context *context, const thaw_classified *classified, const char *path);

/* Appends the confusion matrix as a table, of the classes with the most confusions if there are many. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_confusion_matrix_append(thaw_text *text, const thaw_classified *classified);

#endif
