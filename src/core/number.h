/* Numbers in text from outside: descriptions, options. */
#ifndef THAW_CORE_NUMBER_H
#define THAW_CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Reads `length` characters as one decimal number such as "-1.5e-3", whatever the locale. False, with *value as it was,
   when they are anything else or the number is not finite; at most 63 characters. */
bool thaw_parse_number(const char *text, size_t length, double *value);

#endif
