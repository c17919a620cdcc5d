/* Normalises the channels of a matrix on all threads, and computes the gradients. Sums do not depend on the number
   of threads: each chunk of fixed size is summed on its own, and then the chunks in order. Sums are in double
   precision: gradients behind a normalisation are small differences of large numbers, and an error in a mean affects
   a whole channel. */
#ifndef THAW_LAYERS_CHANNEL_PASSES_H
#define THAW_LAYERS_CHANNEL_PASSES_H

#include "kernels/pass_loops.h"

size_t thaw_channels_scratch_bytes(size_t rows, size_t channels);

/* Each channel's mean and biased variance of pass->input. Chan et al. 1979, "Updating formulae and a pairwise algorithm
   for computing sample variances". */
void thaw_channels_measure(thaw_context *context, const thaw_channel_pass *pass, size_t rows, double *mean,
                           double *variance, void *scratch);

void thaw_channels_normalise(thaw_context *context, const thaw_channel_pass *pass, size_t rows);

/* Each channel's sums of dz and, unless `products` is NULL, of dz (input - mean). */
void thaw_channels_reduce(thaw_context *context, const thaw_channel_pass *pass, size_t rows, double *sums,
                          double *products, void *scratch);

void thaw_channels_differentiate(thaw_context *context, const thaw_channel_pass *pass, size_t rows);

#endif
