/* Threads for work that is none of OpenMP's: what waits for files and shares the processor with its team, and what has
   teams of its own. Made once, asleep between jobs. */
#ifndef THAW_CORE_WORKERS_H
#define THAW_CORE_WORKERS_H

#include <thaw/context.h>

typedef struct thaw_workers thaw_workers;

/* So many workers, at least 1; the thread that calls thaw_workers_run is the first of them.
   Errors: THAW_OUT_OF_MEMORY (also: no thread). */
thaw_status thaw_workers_create(thaw_context *context, int threads, thaw_workers **team);

/* NULL is allowed. */
void thaw_workers_destroy(thaw_workers *team);

/* Calls body(argument, worker, item) for each item below `count`, each once, on whichever worker is free; returns when
   all are done. One call at a time. */
void thaw_workers_run(thaw_workers *team, size_t count, void (*body)(void *argument, size_t worker, size_t item),
                      void *argument);

#endif
