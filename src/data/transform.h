/* The kinds of transforms. */
#ifndef THAW_DATA_TRANSFORM_H
#define THAW_DATA_TRANSFORM_H

#include <stdbool.h>

#include "data/augment.h"

/* A parameter: a number from `least` to `most`. */
typedef struct thaw_transform_parameter {
    const char *name;
    double usual, least, most;
    bool whole; /* a whole number */
} thaw_transform_parameter;

struct thaw_transform_kind {
    const char *name;
    thaw_transform_parameter parameters[THAW_MOST_PARAMETERS]; /* up to one without a name */
    /* One of these, or none: the frame is chosen elsewhere. */
    void (*change)(const double *values, const uint32_t words[THAW_AUGMENT_WORDS], thaw_pixels *pixels);
    void (*finish)(const double *values, const uint32_t words[THAW_AUGMENT_WORDS], float *sample, size_t size,
                   size_t channels);
};

/* In alphabetical order; the number of a kind keys its random words and never changes. */
enum {
    THAW_TRANSFORM_COLOR_JITTER,
    THAW_TRANSFORM_ERASING,
    THAW_TRANSFORM_FLIP,
    THAW_TRANSFORM_RAND_AUGMENT,
    THAW_TRANSFORM_CROP,
    THAW_TRANSFORM_ROTATION,
    THAW_TRANSFORMS
};
extern const thaw_transform_kind thaw_transform_kinds[THAW_TRANSFORMS];

/* RandAugment: `count` operations, each with the magnitude of 31 and at random. */
enum { THAW_OPERATIONS = 14, THAW_MAGNITUDES = 31 };
void thaw_rand_augment(size_t count, unsigned magnitude, const uint32_t *words, thaw_pixels *pixels);

/* One of its operations, by number in torchvision's order. */
void thaw_rand_augment_apply(unsigned operation, unsigned magnitude, bool negative, thaw_pixels *pixels);

/* The part that RandomErasing erases. */
typedef struct thaw_erased {
    size_t top, left, height, width; /* 0 0 0 0: nothing */
} thaw_erased;
thaw_erased thaw_erased_draw(const double values[3], const uint32_t *words, size_t size);

#endif
