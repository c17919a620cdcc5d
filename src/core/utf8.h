/* Characters of UTF-8 as RFC 3629 has them: in the shortest form, without surrogates, at most U+10FFFF. */
#ifndef THAW_CORE_UTF8_H
#define THAW_CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The bytes of the character that a text, which ends with a zero, begins with, and its number; 0 bytes: it is no UTF-8. */
size_t thaw_utf8_read(const char *text, uint32_t *code);

#endif
