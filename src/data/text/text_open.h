/* Data sets of texts. */
#ifndef THAW_DATA_TEXT_TEXT_OPEN_H
#define THAW_DATA_TEXT_TEXT_OPEN_H

#include <thaw/tokenizer.h>

#include "data/description.h"
#include "data/text_form.h"

enum { THAW_DEFAULT_LENGTH = 128 };

/* Opens what a description of the kind text says. Errors: those of thaw_dataset_open_noted. */
thaw_status thaw_texts_open(thaw_description *from, thaw_dataset **training, thaw_dataset **test);

/* The form of a description's texts, completed by the one that its notes have, and the tokenizer, which the caller
   destroys. Both are released by the caller, also after an error. Errors: THAW_INVALID_ARGUMENT (no tokenizer is said,
   or another than the noted one), those of thaw_text_form_read and thaw_tokenizer_open. */
thaw_status thaw_texts_prepare(const thaw_description *from, thaw_text_form *form, thaw_tokenizer **tokenizer);

/* The id behind the end of a text. */
int32_t thaw_texts_padding(const thaw_tokenizer *tokenizer);

#endif
