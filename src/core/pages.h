/* Memory whose contents are not wanted for a while. */
#ifndef THAW_CORE_PAGES_H
#define THAW_CORE_PAGES_H

#include <stddef.h>

/* Gives the whole pages inside [memory, memory + bytes) back to the operating system. The memory stays the caller's, and
   may be written at any time; until then nobody knows what those pages hold. Thread-safe. */
void thaw_pages_give_back(void *memory, size_t bytes);

#endif
