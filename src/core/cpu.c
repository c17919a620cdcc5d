#include "core/cpu.h"

thaw_cpu_level thaw_cpu_detect(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return THAW_CPU_V4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return THAW_CPU_V3;
#endif
    return THAW_CPU_BASELINE;
}

bool thaw_cpu_multiplies_bfloat16(void)
{
#ifdef __x86_64__
    return thaw_cpu_detect() == THAW_CPU_V4 && __builtin_cpu_supports("avx512bf16");
#else
    return false;
#endif
}
