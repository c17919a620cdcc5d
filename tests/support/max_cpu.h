/* The environment's limit of the CPU's instructions, for every context of a test. Of programs without Criterion,
   too. */
#ifndef THAW_TESTS_MAX_CPU_H
#define THAW_TESTS_MAX_CPU_H

#include <thaw/context.h>

/* What THAW_MAX_CPU names: baseline, v3 or v4; without it there is no limit. Another value ends the process. */
thaw_cpu_level support_max_cpu(void);

#endif
