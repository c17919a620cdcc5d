/* Memory whose contents are not needed for a while. */
#ifndef THAW_CORE_PAGES_H
#define THAW_CORE_PAGES_H

#include <stddef.h>

/* Returns the whole pages inside [memory, memory + bytes) to the operating system. The memory stays allocated and
   may be written at any time; until then the contents of those pages are undefined. Thread-safe. */
void thaw_pages_give_back(void *memory, size_t bytes);

#endif
