/* A build for tests (-Dpoison=true) fills memory with NaN when it begins to be used. This reveals kernels that read
   what their step has not written. In other builds these functions do nothing. */
#ifndef THAW_PROGRAM_POISON_H
#define THAW_PROGRAM_POISON_H

#include "plan/plan.h"

#ifdef THAW_POISON

/* Fills what begins to be used in the arena at a time of [first, past): see buffers.c for times. */
void thaw_poison(const thaw_plan *plan, size_t first, size_t past);

/* Fills the gradients that backward has to write completely: all except those whose rows are listed. */
void thaw_poison_gradients(const thaw_plan *plan);

#else

static inline void thaw_poison(const thaw_plan *plan, size_t first, size_t past)
{
    (void)plan, (void)first, (void)past;
}

static inline void thaw_poison_gradients(const thaw_plan *plan)
{
    (void)plan;
}

#endif

#endif
