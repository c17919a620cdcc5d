/* Numbers in external text: descriptions and options. */
#ifndef THAW_CORE_NUMBER_H
#define THAW_CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/* Reads `length` characters (at most 63) as one decimal number such as "-1.5e-3", whatever the locale. Returns
   false, with *value unchanged, if they are anything else or the number is not finite. */
bool thaw_parse_number(const char *text, size_t length, double *value);

#endif
