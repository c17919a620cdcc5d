/* The functions that run instructions. */
#ifndef THAW_PROGRAM_INSTRUCTIONS_H
#define THAW_PROGRAM_INSTRUCTIONS_H

#include "plan/plan.h"

/* Expressions: see combination_run.c. */
thaw_status thaw_do_evaluate(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_reevaluate(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_propagate(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_accumulate(thaw_plan *plan, const thaw_instruction *instruction);

/* Sums of all shards: see shared_sums.c. */
thaw_status thaw_do_share(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_scale(thaw_plan *plan, const thaw_instruction *instruction);

/* Parameters: see parameter_run.c. */
thaw_status thaw_do_restore(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_pack(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_repack(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_final(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_sum(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_total(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_norm(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_check(thaw_plan *plan, const thaw_instruction *instruction);
thaw_status thaw_do_update(thaw_plan *plan, const thaw_instruction *instruction);

#endif
