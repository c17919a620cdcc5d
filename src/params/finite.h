/* Whether values are finite. Kernels may turn NaN into a number: oneDNN's max(x, 0) of NaN is 0, and its max-pool skips
   NaN. So they get none: samples are checked before they are used, and parameters after they have changed. An update
   notices by itself whether it needs the check (update/update.h). A NaN that arises inside a layer, when its sums
   overflow, may still be lost. */
#ifndef THAW_PARAMS_FINITE_H
#define THAW_PARAMS_FINITE_H

#include "params/parameter.h"

/* Whether all values of an array are finite. This and the following only between thaw_threads_enter and
   thaw_threads_leave. */
bool thaw_values_finite(thaw_context *context, const float *values, size_t count);

/* Checks a parameter, if it is in use. Errors: THAW_NOT_FINITE, with a message that begins with `what` and names the
   parameter. */
thaw_status thaw_parameter_check_finite(thaw_context *context, const thaw_parameter *parameter, const char *what);

/* The same for all parameters, in order. Reads nothing if nothing has changed since the set was known to be finite. */
thaw_status thaw_set_check_finite(thaw_parameter_set *set, const char *what);

/* Notes that all values of the set are finite: the last check found nothing, and all later changes were checked when
   they were made. */
void thaw_set_note_finite(thaw_parameter_set *set);

#endif
