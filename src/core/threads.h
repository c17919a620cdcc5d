/* The one place that knows OpenMP. */
#ifndef THAW_CORE_THREADS_H
#define THAW_CORE_THREADS_H

#include <thaw/runtime.h>

/* The host's settings, and the context's team, to be given back. */
typedef struct thaw_thread_scope {
    thaw_context *context;
    int threads, host_threads, host_dynamic;
} thaw_thread_scope;

/* Sets context->threads to the team that OpenMP will start here, which is one thread inside a parallel region of the host:
   oneDNN would wait for missing threads, or leave out their work. Sets the count that OpenMP and oneDNN read, for the
   calling thread, and that teams are never smaller. Every public entry that computes is bracketed by these two. */
thaw_thread_scope thaw_threads_enter(thaw_context *context);
void thaw_threads_leave(thaw_thread_scope scope);

/* The cores that this process may use. */
int thaw_threads_available(void);

/* Whether OpenMP binds its threads to cores: then teams of several threads of the host share the same ones. */
bool thaw_threads_bound(void);

/* Runs body(argument, thread, threads) once on each of the context's threads, or once alone (thread 0 of 1) inside a
   parallel region of the host. */
void thaw_parallel(thaw_context *context, void (*body)(void *argument, int thread, int threads), void *argument);

/* Inside `body`: waits until each of its `threads` members has come here as often. */
void thaw_barrier(int threads);

#endif
