/* A plain text as samples for next-token training. */
#ifndef THAW_DATA_TEXT_PLAIN_TEXT_H
#define THAW_DATA_TEXT_PLAIN_TEXT_H

#include "data/text/text_samples.h"

/* Reads a file, gzip or not, as one text without special tokens around it, and cuts its ids into windows: sample i has
   the ids from i * length to (i + 1) * length, both included, so that each of `length` ids has the next one as its
   target. A last, shorter window of two ids or more is a sample, too. Invalid UTF-8 becomes U+FFFD, with a warning that
   counts. The caller releases `samples` in every case. Errors: THAW_INVALID_ARGUMENT (length is 0), THAW_BAD_FORMAT
   (fewer than two ids), THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_plain_text_read(const thaw_tokenizer *tokenizer, const char *path, size_t length,
                                 thaw_text_samples *samples);

#endif
