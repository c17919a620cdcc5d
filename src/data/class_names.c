#include "data/class_names.h"

#include <string.h>

#include "core/allocation.h"

thaw_status thaw_copy_class_names(thaw_context *context, const char *const *names, size_t count, char ***copy)
{
    size_t bytes = count * sizeof *names;
    *copy = NULL;
    if (!names)
        return THAW_OK;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(names[i]) + 1;
    char **copied = thaw_allocate(context, bytes);
    if (!copied)
        return THAW_OUT_OF_MEMORY;
    char *next = (char *)(copied + count);
    for (size_t i = 0; i < count; i++) {
        copied[i] = next;
        next = stpcpy(next, names[i]) + 1;
    }
    *copy = copied;
    return THAW_OK;
}
