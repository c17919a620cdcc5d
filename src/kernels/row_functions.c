#include "core/cpu.h"
#include "kernels/row_loops.h"

const thaw_row_functions *thaw_row_functions_of_cpu(void)
{
#ifdef __x86_64__
    static const thaw_row_functions *const builds[] = {
        [THAW_CPU_BASELINE] = &thaw_row_loops_baseline,
        [THAW_CPU_V3] = &thaw_row_loops_v3,
        [THAW_CPU_V4] = &thaw_row_loops_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return &thaw_row_loops_baseline;
#endif
}
