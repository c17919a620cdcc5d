/* --ema: where the average of the weights goes. */
#ifndef THAW_CLI_AVERAGE_H
#define THAW_CLI_AVERAGE_H

#include <thaw/data.h>

#include "cli/options.h"

/* The average's file, beside that of --save: x.ema.safetensors for x.safetensors, x.ema for other names. NULL if there
   is none. The caller frees it. Returns an exit code. */
int cli_average_name(const cli_options *options, char **name);

/* Whether something depends on the average, and its file is no other's. `test` may be NULL. Returns an exit code. */
int cli_average_check(const cli_options *options, const thaw_dataset *test);

#endif
