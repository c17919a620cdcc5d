#include "support/check.h"

#include <stdio.h>
#include <stdlib.h>

void bench_check(const thaw_context *context, thaw_status status)
{
    if (status == THAW_OK)
        return;
    fprintf(stderr, "%s: %s\n", thaw_status_name(status), context ? thaw_context_message(context) : "");
    exit(1);
}
