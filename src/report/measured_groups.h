/* Which measurements belong together: a table made once, so that a page takes time in proportion to what it shows. */
#ifndef THAW_REPORT_MEASURED_GROUPS_H
#define THAW_REPORT_MEASURED_GROUPS_H

#include "report/page.h"

#define THAW_NO_MEASUREMENT SIZE_MAX

/* By the place of a measurement in the list. */
typedef struct thaw_measured_groups {
    size_t *first; /* of its group */
    size_t *next;  /* of its group, THAW_NO_MEASUREMENT after the last */
} thaw_measured_groups;

/* Groups the page's measurements by their benchmark, and by the text of a further key (NULL: none).
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_measured_group(const thaw_report_page *page, const char *key, thaw_measured_groups *groups);

void thaw_measured_groups_release(thaw_context *context, thaw_measured_groups *groups);

#endif
