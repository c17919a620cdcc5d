/* Texts in memory as samples without labels. */
#ifndef THAW_DATA_TEXT_TEXT_LIST_H
#define THAW_DATA_TEXT_TEXT_LIST_H

#include "data/text/text_samples.h"

/* Encodes texts, or pairs of them if `seconds` is not NULL, each ending with a zero byte, cut to `length` tokens. The
   caller releases `samples`, which starts as zero except the context, in every case. Errors: those of
   thaw_text_samples_encode. */
thaw_status thaw_text_list_encode(thaw_text_samples *samples, const thaw_tokenizer *tokenizer, const char *const *texts,
                                  const char *const *seconds, size_t count, size_t length);

#endif
