/* Figures by class, which thaw evaluate computes where an option asks for them. */
#ifndef THAW_CLI_CLASSIFIED_H
#define THAW_CLI_CLASSIFIED_H

#include <jansson.h>

#include "cli/session.h"
#include "report/classified.h"

/* Starts as zero. */
typedef struct cli_classified {
    thaw_classification *counts; /* NULL: no option asks for them */
    thaw_classified found;
    thaw_class_figures *classes;
    const char **names;
    char (*numbers)[24]; /* names of classes that have none */
} cli_classified;

/* All but cli_classified_end return an exit code. */

/* Prepares what the options ask for, and checks that their files can be written, when data and network are open. */
int cli_classified_begin(cli_classified *classified, const cli_session *session);

/* Computes the figures, and writes the files. */
int cli_classified_finish(cli_classified *classified, const cli_session *session, const thaw_evaluation *found);

/* Adds figures of all classes together to the event of the evaluation. */
void cli_classified_describe(const cli_classified *classified, json_t *event);

/* Prints what the options ask for, as tables or JSON. */
int cli_classified_print(const cli_classified *classified, const cli_options *options);

void cli_classified_end(cli_classified *classified);

#endif
