/* Adding one array of floats to another. */
#ifndef THAW_PLAN_ADDITION_H
#define THAW_PLAN_ADDITION_H

#include <thaw/module.h>

/* sum[i] += term[i], on the context's threads. */
void thaw_add_floats(thaw_context *context, float *sum, const float *term, size_t count);

#endif
