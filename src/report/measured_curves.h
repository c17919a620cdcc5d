/* One thing measured at several sizes, as curves: one for each number of threads. */
#ifndef THAW_REPORT_MEASURED_CURVES_H
#define THAW_REPORT_MEASURED_CURVES_H

#include "report/measured_groups.h"

/* Whether the thing whose first measurement this is was measured at enough sizes. */
bool thaw_measured_is_curve(const thaw_report_page *page, const thaw_measured_groups *things, size_t first);

/* Draws a panel with its curves. */
void thaw_measured_draw_curves(thaw_report_page *page, const thaw_measured_groups *things, size_t first);

#endif
