/* Normalising the channels of a matrix with all threads, and the gradients of that. Sums are the same for any number of
   threads: chunks of fixed size are summed each on its own and then one after the other. They are in double precision:
   gradients that pass a normalisation are small differences of large numbers, and an error in a mean is one in all of a
   channel. */
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
