#include "core/cpu.h"
#include "kernels/winograd_loops.h"

const thaw_winograd_functions *thaw_winograd_functions_of_cpu(void)
{
#ifdef __x86_64__
    static const thaw_winograd_functions *const builds[] = {
        [THAW_CPU_BASELINE] = &thaw_winograd_loops_baseline,
        [THAW_CPU_V3] = &thaw_winograd_loops_v3,
        [THAW_CPU_V4] = &thaw_winograd_loops_v4,
    };
    return thaw_cpu_multiplies_bfloat16() ? &thaw_winograd_loops_native : builds[thaw_cpu_detect()];
#else
    return &thaw_winograd_loops_baseline;
#endif
}
