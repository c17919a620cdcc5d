#include "core/number.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 63 };

bool thaw_parse_number(const char *text, size_t length, double *value)
{
    char digits[LONGEST + 1] = { 0 };
    if (length == 0 || length > LONGEST)
        return false;
    memcpy(digits, text, length);
    /* strtod also accepts spaces, hexadecimal, "inf" and "nan". */
    if (strspn(digits, "+-.0123456789eE") != length)
        return false;
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain)
        return false;
    char *end = NULL;
    const double number = strtod_l(digits, &end, plain);
    freelocale(plain);
    if (end != digits + length || !isfinite(number))
        return false;
    *value = number;
    return true;
}
