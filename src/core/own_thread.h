/* Threads of the library outside OpenMP. */
#ifndef THAW_CORE_OWN_THREAD_H
#define THAW_CORE_OWN_THREAD_H

#include <pthread.h>

/* pthread_create with all signals blocked: signals are the host's, for its own threads to handle. Returns an errno;
   0: the thread runs. */
int thaw_own_thread_create(pthread_t *thread, void *(*run)(void *argument), void *argument);

#endif
