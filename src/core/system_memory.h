/* The allocator of contexts whose host gives none: the system's. */
#ifndef THAW_CORE_SYSTEM_MEMORY_H
#define THAW_CORE_SYSTEM_MEMORY_H

#include <thaw/context.h>

extern const thaw_allocator thaw_system_memory;

#endif
