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

enum { THAW_FRAME_WORDS = 44 };

/* torchvision's evaluation transform: Resize(resize) of the shorter side, then CenterCrop(size). */
thaw_frame thaw_frame_center(size_t width, size_t height, size_t resize, size_t size);

/* torchvision's RandomResizedCrop(size) and RandomHorizontalFlip(), with these random words: a part of 8 % to 100 %
   of the image's area, with an aspect ratio from 3:4 to 4:3. */
thaw_frame thaw_frame_random(size_t width, size_t height, size_t size, const uint32_t words[THAW_FRAME_WORDS]);

/* The size at which to decode the image, relative to its full size: the smallest that needs no enlarging later. */
double thaw_frame_scale(const thaw_frame *frame);

#endif
