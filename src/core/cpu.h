/* Which instructions the CPU has. */
#ifndef THAW_CORE_CPU_H
#define THAW_CORE_CPU_H

#include <stdbool.h>

/* The levels that some files are built for; meson.build says which extensions the compiler may use at each. */
typedef enum thaw_cpu_level {
    THAW_CPU_BASELINE,
    THAW_CPU_V3, /* AVX2 and FMA */
    THAW_CPU_V4  /* AVX-512 F, VL and DQ */
} thaw_cpu_level;

/* The highest level that this CPU and its operating system support. Thread-safe. */
thaw_cpu_level thaw_cpu_detect(void);

/* Whether it has AVX512_BF16 beside the highest of them. Thread-safe. */
bool thaw_cpu_multiplies_bfloat16(void);

#endif
