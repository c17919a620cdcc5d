/* Times the instructions of a program that runs several times. */
#ifndef THAW_TRAIN_PROFILE_H
#define THAW_TRAIN_PROFILE_H

#include "plan/plan.h"

/* Runs the plan's program once, and finds the plan first as any caller does. */
typedef struct thaw_profiled_run {
    thaw_status (*run)(void *argument);
    void *argument;
} thaw_profiled_run;

/* Calls `run` so many times, at least once. `seconds` gets the mean time of each instruction, *rest_seconds what is
   between them, *run_seconds their sum: means over the faster half of the runs. Call it between thaw_threads_enter and
   thaw_threads_leave. Errors: those of `run`, THAW_OUT_OF_MEMORY. */
thaw_status thaw_profile_runs(thaw_plan *plan, thaw_profiled_run profiled, size_t runs, double *seconds,
                              double *rest_seconds, double *run_seconds);

#endif
