/* Answers of a predictor to texts. */
#ifndef THAW_CLI_TEXT_ANSWERS_H
#define THAW_CLI_TEXT_ANSWERS_H

#include "cli/image_answers.h"

/* Both return an exit code. A pair is two texts with a tab between them. */

/* Answers to one text. */
int cli_answer_text(cli_image_answers *answers, const char *text);

/* Answers to each line of a file; "-" is standard input. */
int cli_answer_lines(cli_image_answers *answers, const char *path);

#endif
