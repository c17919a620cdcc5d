#include "core/cpu.h"
#include "kernels/normal_loops.h"

thaw_normal_function *thaw_normal_function_of_cpu(void)
{
#ifdef __x86_64__
    static thaw_normal_function *const builds[] = {
        [THAW_CPU_BASELINE] = thaw_normal_loops_baseline,
        [THAW_CPU_V3] = thaw_normal_loops_v3,
        [THAW_CPU_V4] = thaw_normal_loops_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return thaw_normal_loops_baseline;
#endif
}
