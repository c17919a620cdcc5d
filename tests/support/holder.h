/* A model that holds parameters and computes nothing: for tests of files and of what happens to names. */
#ifndef THAW_TESTS_SUPPORT_HOLDER_H
#define THAW_TESTS_SUPPORT_HOLDER_H

#include <thaw/layer_module.h>

enum { HOLDER_PARAMETERS = 6, HOLDER_FLOATS = 23 };

/* Groups "first" (weight [3, 2], bias [3], mean [3], a statistic) and "second" (weight [2, 3], bias [2], mean [3]). */
thaw_model *support_holder(thaw_context *context);

/* Sets all parameters to numbers that depend on `seed` alone. */
void support_holder_fill(thaw_model *model, uint32_t seed);

/* Copies all parameters in their order. */
void support_holder_copy(thaw_model *model, float values[HOLDER_FLOATS]);

#endif
