/* A run whose test data have labels by a script, so that each epoch has the accuracy that is written down for it. The
   fixture has a folder with two paths: of the file of the best weights, and of a checkpoint. */
#ifndef THAW_TESTS_TRAIN_SCRIPTED_RUN_H
#define THAW_TESTS_TRAIN_SCRIPTED_RUN_H

#include "support/files.h"
#include "support/support.h"

enum {
    SCRIPTED_CLASSES = 3,
    SCRIPTED_TESTED = 10,
    SCRIPTED_SAMPLES = 12,
    SCRIPTED_STEPS = 3,
    SCRIPTED_EPOCHS = 9,
    SCRIPTED_BROKEN = -1
};

extern char scripted_directory[SUPPORT_PATH_BYTES], scripted_file[SUPPORT_PATH_BYTES],
    scripted_saved[SUPPORT_PATH_BYTES];

void scripted_begin(void);
void scripted_end(void);

/* How many of SCRIPTED_TESTED are right, by epoch. Epochs 3 and 5 are as good as epoch 2, not better; epoch 6 is. */
extern const int script_correct[SCRIPTED_EPOCHS];

/* The best epoch so far, after each of the script. */
extern const int script_best[SCRIPTED_EPOCHS];

typedef struct scripted_run {
    float values[SCRIPTED_SAMPLES * SCRIPTED_CLASSES];
    int32_t labels[SCRIPTED_SAMPLES];
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data, *test;
    thaw_trainer *trainer;
    thaw_fit_options options;
    const int *correct;                  /* by epoch; SCRIPTED_BROKEN: the samples are NaN */
    char warning[512];                   /* the last one */
    float *kept;                         /* weights of the epoch that on_epoch calls the best */
    int ended;                           /* epochs */
    thaw_best told[SCRIPTED_EPOCHS + 1]; /* to on_epoch, by epoch */
    double losses[SCRIPTED_EPOCHS + 1];  /* of training */
    double test_losses[SCRIPTED_EPOCHS + 1];
} scripted_run;

/* Makes everything up to the trainer, whose status it returns. `correct` NULL: the run has no test data. */
thaw_status scripted_open(scripted_run *now, const int *correct, const thaw_fit_options *options);
void scripted_close(scripted_run *now);

/* Trains to the run's end. */
void scripted_finish(scripted_run *now);

/* Opens a run by script_correct that goes on after the first `cut` steps of another one. */
void scripted_continue(scripted_run *now, int cut, const thaw_fit_options *options);

/* Whether the file of the best weights holds these. */
bool scripted_file_holds(const scripted_run *now, const float *weights);

#endif
