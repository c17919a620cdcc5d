/* Runs the built command, and makes data for it. */
#ifndef THAW_TESTS_SUPPORT_COMMAND_H
#define THAW_TESTS_SUPPORT_COMMAND_H

#include <jansson.h>
#include <sys/types.h>

#include "support/files.h"

enum { SUPPORT_WORDS = 48, SUPPORT_OUTPUT_BYTES = 1 << 16 };

typedef struct support_run {
    int code; /* the exit code, or 128 + the signal that ended it */
    char output[SUPPORT_OUTPUT_BYTES], errors[SUPPORT_OUTPUT_BYTES];
} support_run;

/* Runs "thaw" with `line`, words between blanks, of which one of the form $x stands for the text of variables[x - 'a'].
   Output goes through files in `directory`. */
void support_command(support_run *run, const char *directory, const char *line, const char *const *variables);

/* Starts it, with its output going to the files "output" and "errors" in `directory`, or to `output` where that is a
   descriptor and not -1. */
pid_t support_command_start(const char *directory, const char *line, const char *const *variables, int output);

/* Waits for it, and reads what it printed. */
void support_command_finish(support_run *run, const char *directory, pid_t process);

/* Asserts that a text has another one in it. */
void support_assert_says(const char *text, const char *wanted);

/* Line `index` of the output as a JSON object; negative indices count from the end. The caller releases it. */
json_t *support_json_line(const support_run *run, int index);

/* A number in a JSON object; fails when it is none. */
double support_json_number(const json_t *object, const char *key);

/* Writes training and test images of 28x28 in 10 classes that are easy to tell apart, and their labels: the files
   "train-images", "train-labels", "test-images", "test-labels" in `directory`. */
enum { SUPPORT_PER_CLASS = 12, SUPPORT_TEST_PER_CLASS = 3 };
void support_write_images(const char *directory);

#endif
