/* OpenMP's threads spin for milliseconds before they sleep. If other processes want the cores too, a spinning thread
   uses up time slices that the thread it waits for needs. Seconds of three epochs of mlp-500 on 1000 images on two
   cores, median of four or more, alone and beside eight busy processes:

                                  alone           beside eight
     threads                     1     2           1      2
     libgomp's own spinning      -     -         2.0   10.8
     GOMP_SPINCOUNT=10000      1.06  0.83        2.1    4.4
     GOMP_SPINCOUNT=1000       1.06  0.83        2.0    2.5
     OMP_WAIT_POLICY=passive   1.05  0.99        2.2    2.1

   (Alone: on 10000 images. On Linux 6.18 and another CPU, passive beside eight: 2.30 and 2.18, an MLP of three layers of
   512 3.62 and 3.51, a CNN of 8 and 16 channels, which waits 25 times a step, 3.44 and 3.63.) So threads spin for a gap between two kernels where they are alone, and not at all where
   others want the cores. The runtime reads its settings when it is loaded, so the command starts itself again. A user's
   own setting is kept. If threads are bound, nothing is changed: this thread is already bound to one core, and a new
   process would see only that core. */
#include "cli/waiting.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <thaw/base.h>
#include <unistd.h>

/* Whether other processes want half of the cores or more: now, and on average over the last minute. */
static bool is_busy(void)
{
    double average = 0;
    int running = 0;
    FILE *file = fopen("/proc/loadavg", "re");
    if (!file)
        return false;
    const bool read = fscanf(file, "%lf %*f %*f %d/", &average, &running) == 2;
    fclose(file);
    const double others = running - 1, half = (double)sysconf(_SC_NPROCESSORS_ONLN) / 2;
    return read && others >= half && average >= half;
}

void cli_choose_waiting(char **argv)
{
    static const char *const settings[] = { "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_PROC_BIND", "OMP_PLACES",
                                            "GOMP_CPU_AFFINITY" };
    for (size_t i = 0; i < THAW_COUNT(settings); i++)
        if (getenv(settings[i]))
            return;
    if ((is_busy() ? setenv("OMP_WAIT_POLICY", "passive", 1) : setenv("GOMP_SPINCOUNT", "1000", 1)) == 0)
        execv("/proc/self/exe", argv);
}
