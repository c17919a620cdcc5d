/* What tests of the command share: data in ten classes, two paths for weights, and the last run. */
#ifndef THAW_TESTS_CLI_FIXTURE_H
#define THAW_TESTS_CLI_FIXTURE_H

#include "support/command.h"

/* Of transfer-cnn for five classes: 3x3x1x32 + 32, 3x3x32x32 + 32, 4608 x 128 + 128, 128 x 5 + 5. */
enum { CONV1 = 320, CONV2 = 9248, DENSE1 = 589952, DENSE2 = 645, ALL = CONV1 + CONV2 + DENSE1 + DENSE2 };

extern char cli_directory[SUPPORT_PATH_BYTES];

/* In command lines: $a and $b classes 0-4 and 5-9 with test data, $c and $d paths for weights, $e and $f all classes,
   without and with test data. */
extern const char *const cli_variables[6];

extern support_run cli_run;

void cli_begin(void);
void cli_end(void);

/* Runs the command, which must succeed without a word on standard error, but for cli_take_warning. */
void cli_succeed(const char *line);

/* Takes the warning of a dropout in the frozen prefix, which transfer-cnn with frozen convolutions has, from a text of
   errors. Each dropout may be named once. Returns how many were. */
size_t cli_take_warning(char *errors);

/* Trains one epoch and saves to $c. */
void cli_pretrain(void);

/* A number in the last line of output. */
double cli_final(const char *key);

void cli_assert_event(const json_t *object, const char *event);

/* Asserts how many parameters train in the epoch that line `index` is about. */
void cli_assert_trains(int index, double parameters);

#endif
