/* The quantity of a measurement (bench/measurement.schema.json): a time, or something else if it has a unit. */
#ifndef THAW_REPORT_MEASURED_H
#define THAW_REPORT_MEASURED_H

#include "report/page.h"

bool thaw_measured_is_time(const json_t *one);

/* In seconds, or in its unit; NAN if unknown. */
double thaw_measured_value(const json_t *one);
double thaw_measured_limit(const json_t *one);

/* The speed as a share of the limit's speed; NAN if no speed is measured. */
double thaw_measured_share(const json_t *one);

/* How its values are formatted, beside marks or on an axis. */
thaw_tick_format *thaw_measured_format(const json_t *one, bool tick);

#endif
