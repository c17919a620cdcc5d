/* Which elements of stored tensors the loss depends on through what layers get: masks, slices and zeros of constants leave
   some out. Those, and frozen slices, are held: they have no gradient, and updates keep their bytes. */
#ifndef THAW_PARAMS_REACH_H
#define THAW_PARAMS_REACH_H

#include "params/expression.h"

typedef struct thaw_reach thaw_reach;

/* Begins with nothing reached. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_reach_create(const thaw_parameter_set *set, thaw_reach **reach);
void thaw_reach_release(thaw_reach *reach); /* NULL is allowed */

/* Takes note of an expression that a layer gets. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_reach_note(thaw_reach *reach, thaw_expression *root);

/* A bit for each element of a parameter that trains, 1 where it is held. NULL where no element is. The caller owns *held.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_reach_hold(const thaw_reach *reach, const thaw_parameter *parameter, uint64_t **held);

#endif
