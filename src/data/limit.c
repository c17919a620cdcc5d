#include "data/limit.h"

#include <thaw/data.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/context.h"

static size_t machine_bytes(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
    return pages > 0 && bytes > 0 ? (size_t)pages * (size_t)bytes : SIZE_MAX;
}

void thaw_context_limit_data(thaw_context *context, size_t bytes)
{
    context->max_data_bytes = bytes;
}

thaw_status thaw_data_allow(thaw_context *context, const char *name, size_t count, size_t item_bytes)
{
    size_t bytes;
    const size_t limit = context->max_data_bytes, most = limit ? limit : machine_bytes();
    if (!thaw_multiply_sizes(count, item_bytes, &bytes))
        bytes = SIZE_MAX;
    if (bytes <= most)
        return THAW_OK;
    return thaw_fail(context, THAW_OUT_OF_MEMORY, "%s: would take %zu bytes of memory, must be at most %zu", name,
                     bytes, most);
}
