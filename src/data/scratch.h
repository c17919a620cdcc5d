/* Memory that is used again and again by one thread and grows to what is needed. */
#ifndef THAW_DATA_SCRATCH_H
#define THAW_DATA_SCRATCH_H

#include <thaw/context.h>

/* Zero but for the context to begin with. */
typedef struct thaw_scratch {
    thaw_context *context;
    void *memory;
    size_t capacity;
} thaw_scratch;

/* At least so many bytes, whose content is lost; NULL, without a message, when there is no memory. */
void *thaw_scratch_reserve(thaw_scratch *scratch, size_t bytes);

/* Gives the memory back if it is larger than this. */
void thaw_scratch_trim(thaw_scratch *scratch, size_t most_bytes);

#endif
