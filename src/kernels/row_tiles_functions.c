#include "core/cpu.h"
#include "kernels/row_tiles.h"

const thaw_row_tiles_functions *thaw_row_tiles_of_cpu(void)
{
#ifdef __x86_64__
    static const thaw_row_tiles_functions *const builds[] = {
        [THAW_CPU_BASELINE] = &thaw_row_tiles_baseline,
        [THAW_CPU_V3] = &thaw_row_tiles_v3,
        [THAW_CPU_V4] = &thaw_row_tiles_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return &thaw_row_tiles_baseline;
#endif
}
