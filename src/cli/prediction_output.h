/* How thaw predict shows an answer: a line of text, an object of JSON, or a row of CSV. */
#ifndef THAW_CLI_PREDICTION_OUTPUT_H
#define THAW_CLI_PREDICTION_OUTPUT_H

#include <stdio.h>
#include <thaw/predictor.h>

#include "cli/image_answers.h"

/* Starts as zero, except the first three. */
typedef struct cli_prediction_output {
    const thaw_predictor *predictor;
    thaw_context *context;
    size_t top; /* classes of each answer that are shown */
    bool json;
    const char *output; /* a file, or NULL: standard output */
    size_t *best;       /* as many as `top` */
    char *text;         /* of the file */
    size_t bytes;
    FILE *stream; /* of `text` */
    size_t count; /* answers */
} cli_prediction_output;

/* All but the last return an exit code. */
int cli_prediction_begin(cli_prediction_output *to);
int cli_prediction_show(cli_prediction_output *to, const cli_answered *what, const float *scores);

/* Writes the file, if there is one. */
int cli_prediction_finish(cli_prediction_output *to);
void cli_prediction_end(cli_prediction_output *to);

#endif
