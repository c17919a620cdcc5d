/* Random changes to training images: a list of transforms, each with torchvision's name, parameters and defaults. */
#ifndef THAW_DATA_AUGMENT_H
#define THAW_DATA_AUGMENT_H

#include <thaw/runtime.h>

#include "core/digest.h"
#include "data/frame.h"
#include "data/pixels.h"

/* Random words of a transform. */
enum { THAW_AUGMENT_WORDS = 64, THAW_MOST_TRANSFORMS = 8, THAW_MOST_PARAMETERS = 4 };

typedef struct thaw_transform_kind thaw_transform_kind;

/* A transform and its parameters, in the order of its kind's. */
typedef struct thaw_transform {
    const thaw_transform_kind *kind;
    double values[THAW_MOST_PARAMETERS];
} thaw_transform;

/* Copied by value. `crops` and `flips` come first, wherever they were written, then the others in their order, and those
   of samples last. */
typedef struct thaw_augment {
    bool crops, flips;
    thaw_crop_bounds crop;
    double flip_share;
    thaw_transform transforms[THAW_MOST_TRANSFORMS];
    size_t count; /* of transforms; 0 without crops and flips: nothing is changed */
} thaw_augment;

/* Identifies what is drawn: everything depends on these alone. */
typedef struct thaw_augment_draw {
    const thaw_context *context;
    const thaw_augment *augment;
    uint64_t seed, view, sample;
} thaw_augment_draw;

/* Reads "random-resized-crop:min_scale=0.35+horizontal-flip+color-jitter:brightness=0.4". Errors: THAW_NOT_FOUND (an
   unknown name, with the nearest known one), THAW_INVALID_ARGUMENT. */
thaw_status thaw_augment_parse(thaw_context *context, const char *text, thaw_augment *augment);

bool thaw_augment_changes(const thaw_augment *augment);

/* Fingerprints it. */
void thaw_augment_digest(const thaw_augment *augment, thaw_digest *digest);

/* Which part of an image becomes the sample, and whether it is mirrored; `frame` is that of evaluation. */
void thaw_augment_frame(const thaw_augment_draw *draw, size_t width, size_t height, size_t size, thaw_frame *frame);

/* Changes the image that was cut out. */
void thaw_augment_pixels(const thaw_augment_draw *draw, thaw_pixels *pixels);

/* Changes the sample [size, size, channels] that was made of it. */
void thaw_augment_sample(const thaw_augment_draw *draw, float *sample, size_t size, size_t channels);

#endif
