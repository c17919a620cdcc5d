/* Makes valid UTF-8 of any bytes. */
#ifndef THAW_DATA_TEXT_REPAIR_H
#define THAW_DATA_TEXT_REPAIR_H

#include <thaw/context.h>

/* The number of bytes at the beginning of a text that are valid UTF-8 (RFC 3629). */
size_t thaw_utf8_valid(const unsigned char *text, size_t bytes);

/* Copies `text` to `to`, which has 3 * bytes bytes. Each maximal part that cannot begin a character becomes U+FFFD, as
   Unicode recommends (chapter 3.9, "U+FFFD Substitution of Maximal Subparts"), and Python and Rust do; so does each
   byte of an unpaired surrogate. *replaced is their number. Returns the bytes written. */
size_t thaw_utf8_repair(const unsigned char *text, size_t bytes, unsigned char *to, size_t *replaced);

#endif
