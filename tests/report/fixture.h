/* Shared by tests of reports: a folder, an input file in it, and the page that was made of it. */
#ifndef THAW_TESTS_REPORT_FIXTURE_H
#define THAW_TESTS_REPORT_FIXTURE_H

#include <thaw/context.h>

#include "support/files.h"
#include "support/support.h"

/* A measurement, as a line. */
#define REPORT_MEASUREMENT                                                                                    \
    "{\"schema\": \"thaw-measurement-1\", \"benchmark\": \"optimizers\", \"title\": \"Optimizers\", "         \
    "\"setting\": \"a\", \"what\": \"adam\", \"size\": 1000, \"size_unit\": \"parameters\", \"threads\": 2, " \
    "\"seconds\": 0.0123, \"low\": 0.012, \"high\": 0.013, \"repetitions\": 9, \"limit_seconds\": 0.011, "    \
    "\"limit\": \"a probe\", \"bytes\": null, \"processor\": \"Example\", \"version\": \"1\"}\n"

enum { REPORT_PAGE_BYTES = 1 << 20 };

extern thaw_context *report_context;
extern char report_input[SUPPORT_PATH_BYTES], report_folder[SUPPORT_PATH_BYTES], report_html[REPORT_PAGE_BYTES];

void report_begin(void);
void report_end(void);

/* Writes a report on the file, or on a text as the input. */
thaw_status report_write_from(const char *path);
thaw_status report_write_text(const char *text);

/* Reads the report's page into `report_html`. */
void report_read_page(void);

#endif
