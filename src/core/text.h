/* A growing string in memory of the context's allocator. */
#ifndef THAW_CORE_TEXT_H
#define THAW_CORE_TEXT_H

#include <thaw/runtime.h>

typedef struct thaw_text {
    thaw_context *context;
    char *characters; /* NULL before the first append */
    size_t length, capacity;
    bool failed; /* out of memory: later appends do nothing */
} thaw_text;

void thaw_text_append(thaw_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Gives the string to the caller ("" if nothing was appended), or reports THAW_OUT_OF_MEMORY and frees it. */
thaw_status thaw_text_finish(thaw_text *text, char **result);

#endif
