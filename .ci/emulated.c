/* Loaded into programs that run under qemu-user: what they start runs under it, too. Criterion starts each test as a
   process of the same program, which the machine itself could not run. */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 256 };

static char emulator[] = "/usr/bin/qemu-aarch64";

int execve(const char *path, char *const arguments[], char *const environment[])
{
    char program[PATH_MAX], *all[MOST_ARGUMENTS];
    size_t count = 0;
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    while (arguments[count])
        count++;
    if (length < 0 || count + 2 > MOST_ARGUMENTS) {
        errno = E2BIG;
        return -1;
    }
    program[length] = '\0';
    if (strcmp(path, "/proc/self/exe") != 0 && strcmp(path, program) != 0)
        return (int)syscall(SYS_execve, path, arguments, environment);
    all[0] = emulator;
    all[1] = program;
    for (size_t i = 1; i <= count; i++)
        all[i + 1] = arguments[i];
    return (int)syscall(SYS_execve, emulator, all, environment);
}
