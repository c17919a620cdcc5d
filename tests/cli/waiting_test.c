/* The waiting policy that the command gives OpenMP: seen in the environment of the running process. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/fixture.h"

/* Before that, the process is a copy of the test, and has its environment. */
static bool is_command(pid_t process)
{
    struct stat run, wanted;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/exe", (int)process);
    return stat(path, &run) == 0 && stat(getenv("THAW_COMMAND"), &wanted) == 0 && run.st_ino == wanted.st_ino;
}

/* The environment of the command has this setting, or gets it within ten seconds. */
static bool gets(pid_t process, const char *const *settings, size_t count)
{
    static char path[64], text[1 << 16];
    snprintf(path, sizeof path, "/proc/%d/environ", (int)process);
    for (int tries = 0; tries < 1000; tries++) {
        FILE *file = is_command(process) ? fopen(path, "re") : NULL;
        const size_t length = file ? fread(text, 1, sizeof text - 1, file) : 0;
        if (file)
            fclose(file);
        text[length] = '\0';
        for (const char *one = text; one < text + length; one += strlen(one) + 1)
            for (size_t i = 0; i < count; i++)
                if (strcmp(one, settings[i]) == 0)
                    return true;
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
    }
    return false;
}

/* Runs the command, which trains for long, until its environment has been seen. */
static bool command_gets(const char *const *settings, size_t count)
{
    const pid_t process =
        support_command_start(cli_directory, "train --model mlp-500 --data $f --epochs 1000000 --threads 1",
                              cli_variables, -1);
    const bool found = gets(process, settings, count);
    kill(process, SIGKILL);
    support_command_finish(&cli_run, cli_directory, process);
    return found;
}

Test(waiting, is_short_or_passive, .init = cli_begin, .fini = cli_end, .timeout = 60)
{
    static const char *const either[] = { "GOMP_SPINCOUNT=1000", "OMP_WAIT_POLICY=passive" };
    unsetenv("OMP_WAIT_POLICY");
    unsetenv("GOMP_SPINCOUNT");
    cr_assert(command_gets(either, 2));
}

Test(waiting, is_the_users_if_there_is_one, .init = cli_begin, .fini = cli_end, .timeout = 60)
{
    static const char *const own[] = { "GOMP_SPINCOUNT=77" };
    unsetenv("OMP_WAIT_POLICY");
    setenv("GOMP_SPINCOUNT", "77", 1);
    cr_assert(command_gets(own, 1));
}
