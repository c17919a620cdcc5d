/* Whether values are finite. Kernels may make a number of what is not one: oneDNN's max(x, 0) is 0 where x is NaN, and its
   max-pool passes NaN over. So no kernel is given any: samples are looked at before they are used, and parameters when they
   have changed in another way than by an update, which notices itself (update/update.h). A NaN that arises inside,
   where the sums of a layer overflow, may still be lost. */
#ifndef THAW_PARAMS_FINITE_H
#define THAW_PARAMS_FINITE_H

#include "params/parameter.h"

/* Whether all of an array are. Between thaw_threads_enter and thaw_threads_leave, as what follows. */
bool thaw_values_finite(thaw_context *context, const float *values, size_t count);

/* Fails if some value of a parameter in use is not finite: THAW_NOT_FINITE, with a message that begins with `what` and
   names the parameter. */
thaw_status thaw_parameter_check_finite(thaw_context *context, const thaw_parameter *parameter, const char *what);

/* The same for all parameters in use, in order. Reads nothing if nothing has changed since the set was known to be
   finite. */
thaw_status thaw_set_check_finite(thaw_parameter_set *set, const char *what);

/* Tells that all values of the set are finite: the last check found nothing, and all changes since were checked when they
   were made. */
void thaw_set_note_finite(thaw_parameter_set *set);

#endif
