#include "core/cpu.h"
#include "kernels/pass_loops.h"

const thaw_pass_functions *thaw_pass_functions_of_cpu(void)
{
#ifdef __x86_64__
    static const thaw_pass_functions *const builds[] = {
        [THAW_CPU_BASELINE] = &thaw_pass_loops_baseline,
        [THAW_CPU_V3] = &thaw_pass_loops_v3,
        [THAW_CPU_V4] = &thaw_pass_loops_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return &thaw_pass_loops_baseline;
#endif
}
