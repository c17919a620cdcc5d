/* Answers of a predictor to the files and texts of a command line: images, which are read in batches, lines of text, or
   tables and arrays. */
#ifndef THAW_CLI_IMAGE_ANSWERS_H
#define THAW_CLI_IMAGE_ANSWERS_H

#include <thaw/predictor.h>

#include "cli/progress.h"
#include "cli/session.h"

/* What an answer is to. */
typedef struct cli_answered {
    const char *path; /* may hold any bytes; NULL: a text of the command line */
    const char *text; /* the same; NULL: no text */
    size_t row;       /* of a table, an array or a file of texts, from 1; 0: an image, or a text of the command line */
    size_t line;      /* of a table, on which the row begins, or a file of texts; otherwise 0 */
} cli_answered;

/* Takes one answer. Returns an exit code: what is not CLI_DONE ends the run. */
typedef int cli_take_answer(void *user, const cli_answered *what, const float *answer);

/* Starts as zero, except the first fields. */
typedef struct cli_image_answers {
    cli_take_answer *take;
    void *user;
    const char *label; /* of the progress line */
    bool to_file;      /* answers are not printed */
    bool embeds;       /* answers are vectors: of a layer, or without one the features */
    const char *layer; /* as in thaw_predictor_options; NULL: none */

    cli_session session;
    thaw_predictor *predictor;
    thaw_shape samples; /* of a whole batch */
    size_t most;        /* images at a time */
    char **paths;       /* read, and not yet answered */
    size_t count, done;
    float *values, *answers;
    thaw_reading *readings;
    bool failed; /* for some image */
    cli_progress progress;
} cli_image_answers;

/* All but cli_answers_close return an exit code. */

/* Opens the file of --load, when the command line names files or texts. */
int cli_answers_open(cli_image_answers *answers, const cli_options *options);

/* Answers to all files. One that cannot be read is reported, and the others are answered. */
int cli_answers_run(cli_image_answers *answers);

void cli_answers_close(cli_image_answers *answers);

#endif
