/* Which module updates a parameter, and what that needs. A parameter that its group's optimizer does not suit is updated
   by the optimizer's fallback. */
#ifndef THAW_PARAMS_SUITS_H
#define THAW_PARAMS_SUITS_H

#include "params/optimizer.h"
#include "params/parameter.h"

/* Sides of a parameter as a matrix: see thaw/matrix_stage.h. */
size_t thaw_parameter_rows(const thaw_parameter *parameter);
size_t thaw_parameter_columns(const thaw_parameter *parameter);

/* The hyper-parameters of the parameter's module: its optimizer's, or what those say of the fallback. */
void thaw_parameter_values(const thaw_parameter *parameter, double values[THAW_MAX_HYPERPARAMETERS]);

/* The number of slots of the parameter's module and of its wrappers. 0: its group has no optimizer. */
size_t thaw_parameter_slot_count(const thaw_parameter *parameter);

/* Whether the slot is in use. */
bool thaw_parameter_uses_slot(const thaw_parameter *parameter, size_t slot);

/* The name and shape of a slot. */
const char *thaw_parameter_slot_name(const thaw_parameter *parameter, size_t slot);
thaw_shape thaw_parameter_slot_shape(const thaw_parameter *parameter, size_t slot);

#endif
