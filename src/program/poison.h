/* A build for tests (-Dpoison=true) fills memory with NaN as its life begins, so that a kernel shows that reads what
   its step has not written. In other builds these do nothing. */
#ifndef THAW_PROGRAM_POISON_H
#define THAW_PROGRAM_POISON_H

#include "plan/plan.h"

#ifdef THAW_POISON

/* Fills what the arena holds from a time of [first, past) on: see buffers.c for times. */
void thaw_poison(const thaw_plan *plan, size_t first, size_t past);

/* Fills the gradients that backward is to write whole: all but those whose rows are listed. */
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
