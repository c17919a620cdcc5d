#include "kernels/recurrent_kernels.h"

#include "core/cpu.h"

extern const thaw_recurrent_kernels thaw_recurrent_kernels_baseline;
#ifdef __x86_64__
extern const thaw_recurrent_kernels thaw_recurrent_kernels_v3, thaw_recurrent_kernels_v4;
#endif

const thaw_recurrent_kernels *thaw_recurrent_kernels_find(void)
{
#ifdef __x86_64__
    static const thaw_recurrent_kernels *const builds[] = {
        [THAW_CPU_BASELINE] = &thaw_recurrent_kernels_baseline,
        [THAW_CPU_V3] = &thaw_recurrent_kernels_v3,
        [THAW_CPU_V4] = &thaw_recurrent_kernels_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return &thaw_recurrent_kernels_baseline;
#endif
}
