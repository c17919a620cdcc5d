/* Texts in memory as a data set. */
#ifndef THAW_DATA_TEXT_TEXT_SOURCE_H
#define THAW_DATA_TEXT_TEXT_SOURCE_H

#include "data/text/text_samples.h"
#include "data/text_form.h"
#include "data/words.h"

/* Makes a data set with the fields token_ids, lengths and token_types, as thaw_dataset_open says. The samples are taken
   over, also on failure. `form` is copied; its length is at least that of each sample, less 1 for a plain text.
   `classes` are the labels' names; without any, each token of a plain text has the next one as its label. Errors: those
   of thaw_dataset_create. */
thaw_status thaw_text_source_create(thaw_text_samples *samples, const thaw_text_form *form, int32_t padding,
                                    const thaw_words *classes, thaw_dataset **dataset);

#endif
