/* Samples from a table, by its form. */
#ifndef THAW_DATA_TABLE_SAMPLES_H
#define THAW_DATA_TABLE_SAMPLES_H

#include "data/samples.h"
#include "data/table_form.h"

typedef enum thaw_missing {
    THAW_MISSING_ERROR, /* a cell without a value is an error */
    THAW_MISSING_MEAN,  /* it has the column's mean; a category is none of those that there are */
    THAW_MISSING_DROP   /* its row is left out */
} thaw_missing;

/* Leaves out the rows that lack a value in one of the marked columns, and logs how many. Errors: THAW_NOT_FOUND (none is
   left). */
thaw_status thaw_table_drop(thaw_table *table, const bool *marked);

/* Makes samples: inputs are standardised numbers, and a 1 among zeros for each category. `columns` is that of
   thaw_table_form_find. Errors: THAW_BAD_FORMAT (a cell, with its line and column), THAW_OUT_OF_MEMORY. */
thaw_status thaw_table_fill(const thaw_table_form *form, const thaw_table *table, const size_t *columns,
                            thaw_missing missing, thaw_samples *samples);

/* The same for the inputs alone, or for the targets alone, with the columns of these. */
thaw_status thaw_table_fill_inputs(const thaw_table_form *form, const thaw_table *table, const size_t *columns,
                                   thaw_missing missing, thaw_samples *samples);
thaw_status thaw_table_fill_targets(const thaw_table_form *form, const thaw_table *table, const size_t *columns,
                                    thaw_samples *samples);

#endif
