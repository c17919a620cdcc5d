/* What the demo prints. */
#ifndef THAW_CLI_DEMO_OUTPUT_H
#define THAW_CLI_DEMO_OUTPUT_H

#include "cli/demo_runs.h"

/* The results of a run. */
typedef struct cli_demo_result {
    double seconds[CLI_DEMO_EPOCHS]; /* of training, one per epoch */
    thaw_epoch_result last;
} cli_demo_result;

void cli_demo_print_header(void);
int cli_demo_print_run(const char *name, const cli_demo_result *result, bool json);

/* Prints a paragraph that says what the numbers show; `results` is indexed by role. */
void cli_demo_print_paragraph(const cli_demo_result results[CLI_DEMO_ROLES]);

#endif
