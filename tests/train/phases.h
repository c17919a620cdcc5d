/* What a host does with a small network, phase by phase, so that a test can do each without memory. */
#ifndef THAW_TESTS_TRAIN_PHASES_H
#define THAW_TESTS_TRAIN_PHASES_H

#include "support/files.h"
#include "support/small_networks.h"

typedef struct phase_subject {
    const small_network *network;
    int threads;
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    thaw_evaluation evaluation;
    thaw_epoch_result epoch;
    char weights[SUPPORT_PATH_BYTES], cache[SUPPORT_PATH_BYTES];
} phase_subject;

typedef thaw_status phase_action(phase_subject *s);

typedef struct phase {
    const char *name;
    phase_action *before[6]; /* with memory */
    phase_action *run, *after;
    bool goes_on; /* a second try trains from where the first ended */
} phase;

enum { PHASES = 9 };
extern const phase phase_list[PHASES];

extern size_t phase_live_blocks; /* blocks of the context's allocator */

/* Fills the samples that all subjects train on. */
void phase_fill_samples(void);

uint64_t phase_digest_parameters(const phase_subject *s);

/* Of all parameters and of what was found. */
uint64_t phase_digest(const phase_subject *s);

#endif
