/* Numbers in text: descriptions, options and messages. */
#ifndef THAW_CORE_NUMBER_H
#define THAW_CORE_NUMBER_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

/* Reads `length` characters (at most 63) as one decimal number such as "-1.5e-3", whatever the locale. Returns
   false, with *value unchanged, if they are anything else or the number is not finite. */
bool thaw_parse_number(const char *text, size_t length, double *value);

/* The value, to be printed: "nan", never "-nan". The sign of a NaN depends on the CPU and the compiler. */
static inline double thaw_printed(double value)
{
    return isnan(value) ? fabs(value) : value;
}

#endif
