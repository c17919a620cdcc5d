/* A run that a policy steers, and what it was told. */
#ifndef THAW_TESTS_POLICY_STEERED_H
#define THAW_TESTS_POLICY_STEERED_H

#include <thaw/thaw.h>

#include "support/network.h"

enum { STEERED_SAMPLES = 45, STEERED_BATCH = 16, STEERED_STEPS = 3, STEERED_EPOCHS = 6, STEERED_MOST = 128 };

typedef struct steered {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data, *test;
    thaw_policy *policy;
    thaw_fit_options options; /* may be changed before the run begins */
    thaw_policy_effect told[STEERED_MOST];
    char reasons[STEERED_MOST][THAW_POLICY_REASON_BYTES];
    size_t count;
} steered;

/* A run of STEERED_EPOCHS epochs of STEERED_STEPS steps, with test data. */
void steered_open(steered *run, const char *policy);
void steered_open_module(steered *run, const thaw_policy_module *module, const char *settings);
void steered_close(steered *run);

/* All weights at the end. The caller frees them. */
float *steered_fit(steered *run, size_t *count);

/* What trains, a letter a group: T trainable, P partial, - frozen. */
void steered_assert_trains(const steered *run, const char *expected);

#endif
