/* Fields of CSV files (RFC 4180). */
#ifndef THAW_REPORT_CSV_FIELD_H
#define THAW_REPORT_CSV_FIELD_H

#include "core/text.h"

/* Appends a text in quotes. Spreadsheets run what begins like a formula; an apostrophe before it makes it a text. */
void thaw_csv_append_text(thaw_text *line, const char *field);

/* Appends a number with at most so many digits; nothing if it is not finite, which means unknown. */
void thaw_csv_append_digits(thaw_text *line, double value, int digits);

/* The same with all its digits. */
void thaw_csv_append_number(thaw_text *line, double value);

#endif
