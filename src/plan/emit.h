/* The parts of the pass that writes the program. */
#ifndef THAW_PLAN_EMIT_H
#define THAW_PLAN_EMIT_H

#include "plan/plan.h"

/* Backward kernels, in the reverse of the order. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_emit_backward(thaw_plan *plan);

/* Makes room for what binding fills. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_program_reserve(thaw_plan *plan);

#endif
