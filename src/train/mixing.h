/* What is drawn to mix a part of a step's batch, and loops that do it. See thaw/mixing.h. */
#ifndef THAW_TRAIN_MIXING_H
#define THAW_TRAIN_MIXING_H

#include <thaw/mixing.h>
#include <thaw/runtime.h>
#include <thaw/tensor.h>

/* A part of a step's batch: a shard. */
typedef struct thaw_mixing {
    thaw_context *context;
    const thaw_mixing_options *options;
    uint64_t seed, step; /* of the run */
    size_t first, count; /* the place of its first sample in the step's batch, and its samples */
} thaw_mixing;

/* How the samples of a part are mixed. */
typedef struct thaw_mixed {
    double other; /* the share of the sample before in the targets; 0: nothing is mixed */
    bool cuts;    /* a rectangle is replaced: */
    size_t top, left, height, width;
} thaw_mixed;

/* For samples of this shape. */
thaw_mixed thaw_mixing_draw(const thaw_mixing *part, const thaw_shape *sample);

/* A number from Beta(alpha, alpha), from so many random words. */
enum { THAW_BETA_WORDS = 56 };
double thaw_mixing_beta(double alpha, const uint32_t words[THAW_BETA_WORDS]);

/* Mixes rows of so many floats, in place: each with the one before. */
void thaw_mixing_rows(const thaw_mixing *part, double other, float *rows, size_t elements);

/* Replaces the rectangle of each image [height, width, channels] by that of the one before. */
void thaw_mixing_cut(const thaw_mixing *part, const thaw_mixed *mixed, const thaw_shape *sample, float *images);

/* Changes the outputs of frozen layers at cut number `cut`, of this shape, in place. */
void thaw_mixing_features(const thaw_mixing *part, size_t cut, const thaw_shape *sample, float *rows);

#endif
