/* A data set's insides. */
#ifndef THAW_DATA_DATASET_H
#define THAW_DATA_DATASET_H

#include <pthread.h>
#include <thaw/data.h>

enum { THAW_SOURCE_MESSAGE_BYTES = 512 };

struct thaw_dataset {
    thaw_context *context;
    thaw_source source;
    size_t sample_elements, target_bytes; /* of one sample */
    const int32_t *labels;                /* all of them in order, where they are in memory; else NULL */
    size_t
        outside; /* the first sample whose label is in no class, the same for all of these; the count: there is none */
    int32_t outside_label;
    void (*expect)(void *user, const size_t *indices,
                   size_t count);     /* will be read soon; NULL: it makes no difference */
    void (*log_findings)(void *user); /* tells the context's log what reading has found; NULL: nothing ever */
    thaw_dataset *owned;              /* what it is made from, when it goes with this one */
    pthread_mutex_t reading;          /* the source serves one call at a time; guards what follows */
    uint64_t epoch;                   /* of reads that do not tell theirs */
    uint64_t told;                    /* the epoch that the source knows of */
};

/* Reads samples of an epoch, without a word to the context, so that loaders' threads may call it, several loaders in
   epochs of their own too; the indices must be below the count. Returns false with a reason in `message`. */
bool thaw_dataset_fetch(thaw_dataset *dataset, uint64_t epoch, const size_t *indices, size_t count, float *samples,
                        void *targets, char *message, size_t capacity);

/* Tells the context's log what reading has found, on the thread that may do so: the context's caller. */
void thaw_dataset_log_findings(const thaw_dataset *dataset);

#endif
