/* A short run of a network with a frozen prefix, the same each time, with and without a feature cache in a file. It
   has one thread, so a process that has made it can fork. */
#ifndef THAW_TESTS_SUPPORT_CACHED_RUN_H
#define THAW_TESTS_SUPPORT_CACHED_RUN_H

#include "support/support.h"

enum { CACHED_RUN_EPOCHS = 3, CACHED_RUN_SAMPLES = 6 };

typedef struct cached_run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    float *first, *plain; /* all parameters before a run, and after one without a file */
    size_t count;
} cached_run;

/* Runs once without a file. */
void cached_run_create(cached_run *run);
void cached_run_destroy(cached_run *run);

/* Runs from the first parameters, with the cache in this file. `epoch` gets the last epoch's result. */
thaw_status cached_run_train(const cached_run *run, const char *file, bool optional, thaw_epoch_result *epoch);

/* Runs with the cache in a new file at `path`, and reads the file into `whole`. Returns its bytes. */
size_t cached_run_fill(const cached_run *run, const char *path, char *whole, size_t capacity);

/* Whether all parameters now have the bits of a run without a file. */
bool cached_run_is_plain(const cached_run *run);

#endif
