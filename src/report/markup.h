/* Text in markup: escaped, with numbers formatted for people. */
#ifndef THAW_REPORT_MARKUP_H
#define THAW_REPORT_MARKUP_H

#include "core/text.h"

/* Appends text, escaped for use between tags and between double quotes. */
void thaw_markup_text(thaw_text *text, const char *raw);

/* The same, at most `most` characters; an ellipsis shows a cut. */
void thaw_markup_label(thaw_text *text, const char *raw, size_t most);

/* The number with all its digits, for programs that read the page; nothing if it is not finite. */
void thaw_markup_exact(thaw_text *text, double value);

/* These fill `field` and return it; "–" stands for a number that is not finite. */
enum { THAW_FIELD_BYTES = 48 };

char *thaw_format_percent(char field[THAW_FIELD_BYTES], double share);                    /* "93.68" */
char *thaw_format_points(char field[THAW_FIELD_BYTES], double difference);                /* "−0.23", with its sign */
char *thaw_format_seconds(char field[THAW_FIELD_BYTES], double seconds);                  /* "104 ms" */
char *thaw_format_bytes(char field[THAW_FIELD_BYTES], double bytes);                      /* "12.3 MB" */
char *thaw_format_count(char field[THAW_FIELD_BYTES], double count);                      /* "600 165" */
char *thaw_format_quantity(char field[THAW_FIELD_BYTES], double value, const char *unit); /* "4.65 GFLOP" */

#endif
