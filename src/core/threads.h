/* The only file that uses OpenMP. */
#ifndef THAW_CORE_THREADS_H
#define THAW_CORE_THREADS_H

#include <thaw/runtime.h>

/* The host's settings and the context's team, to be restored. */
typedef struct thaw_thread_scope {
    thaw_context *context;
    int threads, host_threads, host_dynamic;
} thaw_thread_scope;

/* Sets context->threads to the team that OpenMP will start here. Inside a parallel region of the host that is one
   thread: oneDNN would wait for missing threads, or skip their work. Sets the count that OpenMP and oneDNN read, for
   the calling thread, and forbids smaller teams. Every public entry that computes is bracketed by these two. */
thaw_thread_scope thaw_threads_enter(thaw_context *context);
void thaw_threads_leave(thaw_thread_scope scope);

/* The number of cores that this process may use. */
int thaw_threads_available(void);

/* Whether OpenMP binds its threads to cores. If so, the teams of several host threads share the same cores. */
bool thaw_threads_bound(void);

/* Runs body(argument, thread, threads) once on each of the context's threads, or once alone (thread 0 of 1) inside a
   parallel region of the host. */
void thaw_parallel(thaw_context *context, void (*body)(void *argument, int thread, int threads), void *argument);

/* Inside `body`: a barrier for its `threads` members. */
void thaw_barrier(int threads);

#endif
