/* Which module updates a parameter, and what that needs. A parameter that its group's optimizer does not suit is updated
   by the optimizer's fallback. */
#ifndef THAW_PARAMS_SUITS_H
#define THAW_PARAMS_SUITS_H

#include "params/kept_slot.h"
#include "params/optimizer.h"
#include "params/parameter.h"

enum { THAW_LEAST_KEPT = 4096 /* parameters of fewer elements have their state in floats */ };

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

/* How those of its module's slots are kept that may be in fewer bits than 32: THAW_F32, THAW_BF16, or THAW_U8. */
thaw_dtype thaw_parameter_state_dtype(const thaw_parameter *parameter);

/* How a slot is kept. False: in floats. */
bool thaw_parameter_kept_slot(const thaw_parameter *parameter, size_t slot, thaw_kept_slot *kept);

/* The bytes of a slot, and the array that they are: as the slot, of THAW_F32 or THAW_BF16, or so many THAW_U8. */
size_t thaw_parameter_slot_bytes(const thaw_parameter *parameter, size_t slot);
thaw_dtype thaw_parameter_slot_array(const thaw_parameter *parameter, size_t slot, thaw_shape *shape);

#endif
