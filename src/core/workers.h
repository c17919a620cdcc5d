/* Threads outside OpenMP: for work that waits for files while the team computes, and for work that uses teams of its
   own. They are created once, and sleep between jobs. */
#ifndef THAW_CORE_WORKERS_H
#define THAW_CORE_WORKERS_H

#include <thaw/context.h>

typedef struct thaw_workers thaw_workers;

/* Makes `threads` workers, at least 1. The thread that calls thaw_workers_run is the first of them. Errors:
   THAW_OUT_OF_MEMORY (also if no thread can be started). */
thaw_status thaw_workers_create(thaw_context *context, int threads, thaw_workers **team);

/* NULL is allowed. */
void thaw_workers_destroy(thaw_workers *team);

/* Calls body(argument, worker, item) once for each item below `count`, on whichever worker is free. Returns when all
   are done. One call at a time. */
void thaw_workers_run(thaw_workers *team, size_t count, void (*body)(void *argument, size_t worker, size_t item),
                      void *argument);

#endif
