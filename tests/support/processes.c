#include "support/processes.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/support.h"

pid_t support_start(int (*work)(int argument), int argument)
{
    int ready[2];
    char byte = 0;
    fflush(NULL);
    cr_assert_eq(pipe(ready), 0);
    const pid_t process = fork();
    cr_assert_geq(process, 0);
    if (process == 0) {
        const ssize_t told = write(ready[1], &byte, 1);
        close(ready[0]);
        close(ready[1]);
        _exit(told == 1 ? work(argument) : -1);
    }
    close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return process;
}

int support_finish(pid_t process)
{
    int status;
    cr_assert_eq(waitpid(process, &status, 0), process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

void support_wait_seconds(double seconds)
{
    const struct timespec time = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    nanosleep(&time, NULL);
}
