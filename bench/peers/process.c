/* The time and memory of this process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "worker.h"

double worker_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

long long worker_process_bytes(const char *field)
{
    char line[256];
    long long kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (strncmp(line, field, strlen(field)) == 0 && line[strlen(field)] == ':')
            kilobytes = strtoll(line + strlen(field) + 1, NULL, 10);
    if (status != NULL)
        fclose(status);
    return kilobytes * 1024;
}

void worker_forget_peak(void)
{
    FILE *clear = fopen("/proc/self/clear_refs", "w");
    if (clear == NULL)
        return;
    fputs("5", clear);
    fclose(clear);
}
