/* Passes over batches in which each sample has its own mean, scale and shift of every channel. A sample is cut into
   chunks of consecutive places, which threads share. Chunks depend only on the batch, so sums are the same for any
   number of threads. */
#ifndef THAW_LAYERS_SAMPLE_PASSES_H
#define THAW_LAYERS_SAMPLE_PASSES_H

#include "kernels/pass_loops.h"

/* A batch: [samples, places, channels]. */
typedef struct thaw_samples {
    size_t samples, places, channels;
} thaw_samples;

/* The matrices of `batch` are whole batches; its arrays hold a row of channels for each sample. */
typedef struct thaw_sample_pass {
    thaw_samples shape;
    thaw_channel_pass batch;
    double *sums, *products; /* a row of channels for each chunk: see thaw_sample_sums */
} thaw_sample_pass;

/* The number of sums of a batch: one per chunk and channel. */
size_t thaw_sample_sums(const thaw_samples *shape);

/* The four loops of thaw_pass_functions. */
void thaw_samples_reduce(thaw_context *context, const thaw_sample_pass *pass);
void thaw_samples_measure(thaw_context *context, const thaw_sample_pass *pass);
void thaw_samples_normalise(thaw_context *context, const thaw_sample_pass *pass);
void thaw_samples_differentiate(thaw_context *context, const thaw_sample_pass *pass);

/* A channel's sum over one sample. `sums` holds those of the chunks. */
double thaw_sample_total(const thaw_samples *shape, const double *sums, size_t sample, size_t channel);

#endif
