/* A run so small that its checkpoint has a few thousand bytes: a dense layer, eight samples, momentum; four steps. */
#ifndef THAW_TESTS_SUPPORT_SMALL_RUN_H
#define THAW_TESTS_SUPPORT_SMALL_RUN_H

#include "support/support.h"

enum { SMALL_RUN_STEPS = 4, SMALL_RUN_FLOATS = 9, SMALL_RUN_MESSAGES = 20 };

typedef struct small_run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    thaw_trainer *trainer;                  /* NULL if it could not be made */
    thaw_status status;                     /* of making it */
    char messages[SMALL_RUN_MESSAGES][512]; /* of the log */
    size_t message_count;
} small_run;

/* Two epochs of two steps. `folder` NULL: without checkpoints; otherwise one after each step, of which three stay. */
void small_run_open(small_run *run, const char *folder, bool resume);
void small_run_close(small_run *run);

/* Takes so many steps, or as many as are left. */
void small_run_step(small_run *run, size_t steps);

/* The weights and biases. */
void small_run_weights(const small_run *run, float values[SMALL_RUN_FLOATS]);

/* Whether a message in the log contains the text. */
bool small_run_said(const small_run *run, const char *text);

#endif
