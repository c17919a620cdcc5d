/* The values of --rename: "OLD=NEW". */
#ifndef THAW_CLI_RENAMINGS_H
#define THAW_CLI_RENAMINGS_H

#include <thaw/weights.h>

#include "cli/options.h"

typedef struct cli_renamings {
    thaw_renaming *items; /* NULL: none */
    size_t count;
    char *text; /* what the items point into */
} cli_renamings;

/* Prints any error and returns an exit code; the caller releases the renamings if it is CLI_DONE. */
int cli_renamings_parse(const cli_options *options, cli_renamings *renamings);

void cli_renamings_release(cli_renamings *renamings);

#endif
