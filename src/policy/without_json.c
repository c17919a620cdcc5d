/* Replaces strategy_file.c if the library is built with -Djson=disabled. */
#include "policy/strategy.h"

thaw_status thaw_strategy_read(thaw_context *context, const char *path, thaw_strategy ***strategies, size_t *count)
{
    *strategies = NULL;
    *count = 0;
    return thaw_fail(context, THAW_UNSUPPORTED,
                     "%s: this libthaw was built with -Djson=disabled and cannot read strategy files", path);
}

void thaw_strategy_release_all(thaw_context *context, thaw_strategy **strategies, size_t count)
{
    (void)context, (void)strategies, (void)count;
}
