#include "report/fixture.h"

#include <stdio.h>
#include <string.h>
#include <thaw/report.h>

thaw_context *report_context;
char report_input[SUPPORT_PATH_BYTES], report_folder[SUPPORT_PATH_BYTES], report_html[REPORT_PAGE_BYTES];
static char directory[SUPPORT_PATH_BYTES];

void report_begin(void)
{
    support_make_directory(directory);
    support_path(report_input, directory, "input.json");
    support_path(report_folder, directory, "made/report");
    report_context = support_context(1);
}

void report_end(void)
{
    thaw_context_destroy(report_context);
    support_remove_tree(directory);
}

thaw_status report_write_from(const char *path)
{
    return thaw_report_write(report_context, &path, 1, report_folder);
}

thaw_status report_write_text(const char *text)
{
    support_write_file(report_input, text, strlen(text));
    return report_write_from(report_input);
}

void report_read_page(void)
{
    char path[2 * SUPPORT_PATH_BYTES];
    snprintf(path, sizeof path, "%s/index.html", report_folder);
    const long length = support_read_file(path, report_html, sizeof report_html - 1);
    cr_assert(length > 0 && length < REPORT_PAGE_BYTES - 1, "%s", path);
    report_html[length] = '\0';
}
