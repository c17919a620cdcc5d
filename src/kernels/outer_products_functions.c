#include "core/cpu.h"
#include "kernels/outer_products_loops.h"

thaw_outer_products_function *thaw_outer_products_of_cpu(void)
{
#ifdef __x86_64__
    static thaw_outer_products_function *const builds[] = {
        [THAW_CPU_BASELINE] = thaw_outer_products_loops_baseline,
        [THAW_CPU_V3] = thaw_outer_products_loops_v3,
        [THAW_CPU_V4] = thaw_outer_products_loops_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return thaw_outer_products_loops_baseline;
#endif
}
