/* Reports when the operating system refuses: each call fails in turn, once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report/fixture.h"
#include "support/faults.h"

static const char OLD[] = "an old page";

/* The page is the old one or the new one, and nothing lies beside it. Returns whether it is the old one. */
static bool is_old(const char *fresh, int call)
{
    report_read_page();
    const bool old = strcmp(report_html, OLD) == 0;
    cr_assert(old || strcmp(report_html, fresh) == 0, "call %d: neither the old page nor the new one", call);
    cr_assert_eq(support_count_entries(report_folder), 1, "call %d: something is left", call);
    return old;
}

Test(system_calls, of_a_report_leave_the_old_page_or_the_new_one, .init = report_begin, .fini = report_end)
{
    static const int reasons[] = { EIO, ENOSPC, EACCES, EINTR, SUPPORT_SHORT, SUPPORT_TORN };
    static char fresh[REPORT_PAGE_BYTES];
    char example[2 * SUPPORT_PATH_BYTES], page[2 * SUPPORT_PATH_BYTES];
    snprintf(example, sizeof example, "%s/tests/compare/results.json", getenv("THAW_SOURCE_ROOT"));
    snprintf(page, sizeof page, "%s/index.html", report_folder);
    assert_ok(report_context, report_write_from(example));
    report_read_page();
    strcpy(fresh, report_html);
    for (size_t k = 0; k < THAW_COUNT(reasons); k++) {
        const char *said = strerror(reasons[k] > 0 ? reasons[k] : ENOSPC);
        int errors = 0, call = 1;
        for (bool fired = true; fired; call++) {
            const size_t descriptors = support_count_entries("/proc/self/fd");
            support_write_file(page, OLD, sizeof OLD - 1);
            support_faults_arm(call, reasons[k]);
            const thaw_status status = report_write_from(example);
            fired = support_faults_disarm();
            const char *message = thaw_context_message(report_context);
            if (status != THAW_OK) {
                cr_assert(status == THAW_IO_ERROR || status == THAW_OUT_OF_MEMORY, "call %d: %s", call, message);
                cr_assert(strstr(message, said) || strstr(message, "out of memory"), "call %d: %s: %s", call, said,
                          message);
            }
            cr_assert_eq(is_old(fresh, call), status != THAW_OK && !strstr(message, "holds the new content"),
                         "call %d: %s", call, message);
            cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors, "call %d: a descriptor leaks", call);
            errors += status != THAW_OK;
        }
        cr_assert_geq(call, 15, "only %d calls", call);
        cr_assert(reasons[k] == SUPPORT_SHORT ? errors == 0 : errors > 0, "%s: %d errors", said, errors);
    }
}
