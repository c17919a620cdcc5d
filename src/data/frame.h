/* Which part of an image becomes a sample, and at which size. */
#ifndef THAW_DATA_FRAME_H
#define THAW_DATA_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct thaw_frame {
    size_t left, top, width, height;    /* the part of the image, in pixels of its full size */
    size_t scaled_width, scaled_height; /* is resized to this */
    size_t x, y;                        /* the sample is cut out of the result, from here */
    bool flipped;                       /* and mirrored horizontally */
} thaw_frame;

enum { THAW_FRAME_WORDS = 40 };

/* Bounds of random crops: shares of the image's area, and ratios of width to height. */
typedef struct thaw_crop_bounds {
    double least_area, most_area, least_ratio, most_ratio;
} thaw_crop_bounds;

/* torchvision's evaluation transform: Resize(resize) of the shorter side, then CenterCrop(size). */
thaw_frame thaw_frame_center(size_t width, size_t height, size_t resize, size_t size);

/* torchvision's RandomResizedCrop(size, scale, ratio), with these random words. */
thaw_frame thaw_frame_random(size_t width, size_t height, size_t size, const thaw_crop_bounds *bounds,
                             const uint32_t words[THAW_FRAME_WORDS]);

/* The size at which to decode the image, relative to its full size: the smallest that needs no enlarging later. */
double thaw_frame_scale(const thaw_frame *frame);

#endif
