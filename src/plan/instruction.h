/* Appending instructions to the program. */
#ifndef THAW_PLAN_INSTRUCTION_H
#define THAW_PLAN_INSTRUCTION_H

#include "plan/plan.h"

/* Appends an instruction; program.failed tells whether one found no memory. */
void thaw_emit(thaw_plan *plan, thaw_instruction instruction);
void thaw_emit_for_node(thaw_plan *plan, thaw_section section, thaw_instruction_kind kind, thaw_node node);

/* Appends the measurement of the node's sums, and the exchange of them. */
void thaw_emit_sharing(thaw_plan *plan, thaw_section section, thaw_node node);

/* In builds for tests: memory that begins to be used at a time of [first, past), see buffers.c, holds NaN until it is
   written. */
void thaw_emit_poison(thaw_plan *plan, thaw_section section, size_t first, size_t past);

#endif
