/* Parameters without a network, for tests of what updates them. */
#ifndef THAW_TESTS_PARAMETERS_H
#define THAW_TESTS_PARAMETERS_H

#include "params/optimizer.h"
#include "params/parameter.h"
#include "support/support.h"
#include "update/update.h"

/* A set with one group "group<i>" and one parameter for each size, filled from numbered seeds. */
thaw_parameter_set parameters_create(thaw_context *context, const size_t *sizes, size_t count);

/* Gives the groups first to past - 1 an optimizer of their own. */
void parameters_optimize(thaw_parameter_set *set, size_t first, size_t past, const char *description);

enum { PARAMETERS_ROOM = 32 /* floats behind the gradients of a list */ };

/* An update list of the parameters first to past - 1. */
thaw_update_list *parameters_list(const thaw_parameter_set *set, size_t first, size_t past);

/* Fills the gradients of those that have one with numbers in [-1, 1) that depend on `seed`. */
void parameters_fill_gradients(const thaw_parameter_set *set, uint32_t seed);

#endif
