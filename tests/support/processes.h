/* Processes of a test's own, which it kills or lets meet. The test must have one thread. */
#ifndef THAW_TESTS_SUPPORT_PROCESSES_H
#define THAW_TESTS_SUPPORT_PROCESSES_H

#include <sys/types.h>

/* Starts a process that calls `work` and exits with its result. Returns when the process is about to call it. */
pid_t support_start(int (*work)(int argument), int argument);

/* Waits for its end. Returns the exit code, or minus the signal that ended it. */
int support_finish(pid_t process);

void support_wait_seconds(double seconds);

#endif
