#include "core/cpu.h"
#include "kernels/strip_product.h"

thaw_strip_product_function *thaw_strip_product_of_cpu(void)
{
#ifdef __x86_64__
    static thaw_strip_product_function *const builds[] = {
        [THAW_CPU_BASELINE] = thaw_strip_product_baseline,
        [THAW_CPU_V3] = thaw_strip_product_v3,
        [THAW_CPU_V4] = thaw_strip_product_v4,
    };
    return builds[thaw_cpu_detect()];
#else
    return thaw_strip_product_baseline;
#endif
}

thaw_strip_product_bfloat16_function *thaw_strip_product_bfloat16_of_cpu(void)
{
#ifdef __x86_64__
    static thaw_strip_product_bfloat16_function *const builds[] = {
        [THAW_CPU_BASELINE] = thaw_strip_product_bfloat16_baseline,
        [THAW_CPU_V3] = thaw_strip_product_bfloat16_v3,
        [THAW_CPU_V4] = thaw_strip_product_bfloat16_v4,
    };
    return thaw_cpu_multiplies_bfloat16() ? thaw_strip_product_bfloat16_native : builds[thaw_cpu_detect()];
#else
    return thaw_strip_product_bfloat16_baseline;
#endif
}
