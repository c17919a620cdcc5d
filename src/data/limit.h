/* How much memory a data set may take. */
#ifndef THAW_DATA_LIMIT_H
#define THAW_DATA_LIMIT_H

#include <thaw/context.h>

/* Whether `count` items of `item_bytes` bytes may be in memory: thaw_context_limit_data, or else the machine's memory.
   `name` is what they come from. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_data_allow(thaw_context *context, const char *name, size_t count, size_t item_bytes);

#endif
