/* Answers of a predictor to the rows of tables and arrays. */
#ifndef THAW_CLI_ROW_ANSWERS_H
#define THAW_CLI_ROW_ANSWERS_H

#include "cli/image_answers.h"

/* Whether an argument is a table or an array, not images. */
bool cli_rows_are_meant(const cli_image_answers *answers, const char *argument);

/* Answers to all rows, or to none if one of them cannot be read. Returns an exit code. */
int cli_answer_rows(cli_image_answers *answers, const char *argument);

#endif
