/* The CPU's instruction levels. meson.build has the table of the files that are built for each of them. */
#ifndef THAW_CORE_CPU_H
#define THAW_CORE_CPU_H

#include <thaw/context.h>

/* The level above those of thaw/context.h: V4 with AVX512_BF16. Few files are built for it. */
#define THAW_CPU_V4_BF16 ((thaw_cpu_level)(THAW_CPU_V4 + 1))

/* The highest level that this CPU and its operating system support. Thread-safe. */
thaw_cpu_level thaw_cpu_detect(void);

/* Finds a level by name: baseline, v3 or v4. */
bool thaw_cpu_parse(const char *name, thaw_cpu_level *level);

/* THAW_DECLARE_LEVELS(type, name) declares what each build of a file defines, under names that end in the level's
   name. THAW_FOR_LEVEL(level, name) selects the definition for a level; `name` may begin with &. The forms with BF16
   are for files that are also built for that level. THAW_ONLY_LEVEL is the single level that the library was built
   for, if there is one. */
#ifdef THAW_ONLY_LEVEL
#define THAW_DECLARE_LEVELS(type, name) extern type name##_native
#define THAW_DECLARE_LEVELS_BF16(type, name) extern type name##_native
#define THAW_FOR_LEVEL(level, name) ((void)(level), name##_native)
#define THAW_FOR_LEVEL_BF16(level, name) ((void)(level), name##_native)
#elif defined __x86_64__
#define THAW_DECLARE_LEVELS(type, name) extern type name##_baseline, name##_v3, name##_v4
#define THAW_DECLARE_LEVELS_BF16(type, name) extern type name##_baseline, name##_v3, name##_v4, name##_v4_bf16
#define THAW_FOR_LEVEL(level, name) \
    ((level) >= THAW_CPU_V4 ? name##_v4 : (level) == THAW_CPU_V3 ? name##_v3 : name##_baseline)
#define THAW_FOR_LEVEL_BF16(level, name) ((level) == THAW_CPU_V4_BF16 ? name##_v4_bf16 : THAW_FOR_LEVEL(level, name))
#else
#define THAW_DECLARE_LEVELS(type, name) extern type name##_baseline
#define THAW_DECLARE_LEVELS_BF16(type, name) extern type name##_baseline
#define THAW_FOR_LEVEL(level, name) ((void)(level), name##_baseline)
#define THAW_FOR_LEVEL_BF16(level, name) ((void)(level), name##_baseline)
#endif

#endif
