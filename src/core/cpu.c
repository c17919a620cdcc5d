#include "core/cpu.h"

#include <string.h>

thaw_cpu_level thaw_cpu_detect(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return __builtin_cpu_supports("avx512bf16") ? THAW_CPU_V4_BF16 : THAW_CPU_V4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return THAW_CPU_V3;
#endif
    return THAW_CPU_BASELINE;
}

bool thaw_cpu_parse(const char *name, thaw_cpu_level *level)
{
    static const char *const names[] = { "baseline", "v3", "v4" };
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *level = THAW_CPU_BASELINE + (thaw_cpu_level)i;
            return true;
        }
    return false;
}
