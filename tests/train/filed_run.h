/* A run with the feature cache in a file, and the same run without it. The fixture has a folder with one path. */
#ifndef THAW_TESTS_TRAIN_FILED_RUN_H
#define THAW_TESTS_TRAIN_FILED_RUN_H

#include <sys/resource.h>

#include "support/files.h"
#include "support/support.h"

enum { FILED_SAMPLES = 45, FILED_EPOCHS = 3, FILED_HEADER = 4096 };

extern char filed_directory[SUPPORT_PATH_BYTES], filed_path[SUPPORT_PATH_BYTES];

void filed_begin(void);
void filed_end(void);

/* What a run may be told; zero is a usual run without a cache. */
typedef struct filed_setting {
    const char *file;
    unsigned trainable; /* 0: the dense layers */
    uint32_t data_seed; /* 0: 5 */
    float shift;        /* added to a weight of the frozen prefix */
    rlim_t limit;       /* on the sizes of files, from the second step on; 0: none */
    char *warning;      /* the last that was logged; of 512 bytes */
    bool optional;      /* a file that cannot be used is no error */
    bool bfloat16;      /* the cache keeps rounded values; without a file, one in memory does */
} filed_setting;

typedef struct filed_outcome {
    float *weights;
    size_t count;
    bool cached[FILED_EPOCHS + 1];
    thaw_epoch_result epoch_result;
    rlim_t limit;
} filed_outcome;

/* Runs; the caller frees the weights, which are there on an error, too. */
thaw_status filed_try(const filed_setting *told, filed_outcome *result, char message[512]);

/* Runs without an error. */
filed_outcome filed_train(const filed_setting *told);

/* Trains with and without the file, compares, and returns whether the file served the first epoch. */
bool filed_check_equal(const filed_setting *told);

#endif
