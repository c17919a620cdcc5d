#include "report/csv_field.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void thaw_csv_append_text(thaw_text *line, const char *field)
{
    thaw_text_append(line, "\"%s", *field && strchr("=+-@\t\r", *field) ? "'" : "");
    for (; *field; field++)
        thaw_text_append(line, *field == '"' ? "\"\"" : "%c", *field);
    thaw_text_append(line, "\"");
}

/* What is neither a digit nor a sign nor an exponent is the decimal point of the host's locale. */
void thaw_csv_append_digits(thaw_text *line, double value, int digits)
{
    static const char DIGITS[] = "+-0123456789e";
    char number[48];
    if (!isfinite(value))
        return;
    snprintf(number, sizeof number, "%.*g", digits, value);
    const size_t whole = strspn(number, DIGITS), point = strcspn(number + whole, DIGITS);
    thaw_text_append(line, "%.*s%s%s", (int)whole, number, point ? "." : "", number + whole + point);
}

void thaw_csv_append_number(thaw_text *line, double value)
{
    thaw_csv_append_digits(line, value, 17);
}
