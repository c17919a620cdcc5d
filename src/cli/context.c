#include "cli/context.h"

#include <stdlib.h>

#include "cli/failure.h"
#include "core/cpu.h"

int cli_context_create(const thaw_context_options *options, thaw_context **context)
{
    thaw_context_options limited = *options;
    const char *most = getenv("THAW_MAX_CPU");
    if (most && !thaw_cpu_parse(most, &limited.max_cpu))
        return cli_misuse("THAW_MAX_CPU", "\"%s\", must be baseline, v3 or v4", most);
    const thaw_status status = thaw_context_create(&limited, context);
    return status == THAW_OK ? CLI_DONE : cli_fail("start", "%s", thaw_status_name(status));
}
