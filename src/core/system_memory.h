/* The system's allocator, for contexts whose host gives none. */
#ifndef THAW_CORE_SYSTEM_MEMORY_H
#define THAW_CORE_SYSTEM_MEMORY_H

#include <thaw/context.h>

extern const thaw_allocator thaw_system_memory;

#endif
