/* What the demo prints. */
#ifndef THAW_CLI_DEMO_OUTPUT_H
#define THAW_CLI_DEMO_OUTPUT_H

#include "cli/demo_runs.h"

/* What a run gave. */
typedef struct cli_demo_result {
    double seconds[CLI_DEMO_EPOCHS]; /* of training, by epoch */
    thaw_epoch_result last;
} cli_demo_result;

void cli_demo_print_header(void);
int cli_demo_print_run(const char *name, const cli_demo_result *result, bool json);

/* What the numbers show, in one paragraph; `results` by role. */
void cli_demo_print_paragraph(const cli_demo_result results[CLI_DEMO_ROLES]);

#endif
