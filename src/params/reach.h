/* Which elements of stored tensors can affect the loss: masks, slices and zeros of constants exclude some. Excluded
   elements, and frozen slices, are held: they have no gradient, and updates keep their bytes. */
#ifndef THAW_PARAMS_REACH_H
#define THAW_PARAMS_REACH_H

#include "params/expression.h"

typedef struct thaw_reach thaw_reach;

/* Begins with nothing reached. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_reach_create(const thaw_parameter_set *set, thaw_reach **reach);
void thaw_reach_release(thaw_reach *reach); /* NULL is allowed */

/* Notes an expression that a layer uses. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_reach_note(thaw_reach *reach, thaw_expression *root);

/* One bit per element of a parameter that trains: 1 if it is held. NULL if none is. The caller owns *held.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_reach_hold(const thaw_reach *reach, const thaw_parameter *parameter, uint64_t **held);

#endif
