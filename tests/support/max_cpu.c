#include "support/max_cpu.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/cpu.h"

thaw_cpu_level support_max_cpu(void)
{
    thaw_cpu_level most = THAW_CPU_HIGHEST;
    const char *name = getenv("THAW_MAX_CPU");
    if (name && !thaw_cpu_parse(name, &most)) {
        fprintf(stderr, "THAW_MAX_CPU: \"%s\", must be baseline, v3 or v4\n", name);
        exit(2);
    }
    return most;
}
