/* UTF-8 characters by RFC 3629: in the shortest form, without surrogates, at most U+10FFFF. */
#ifndef THAW_CORE_UTF8_H
#define THAW_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The length in bytes of the first character of a zero-terminated text, and its number; 0 bytes if it is not UTF-8. */
size_t thaw_utf8_read(const char *text, uint32_t *code);

/* Whether a zero-terminated text is. */
bool thaw_is_utf8(const char *text);

#endif
