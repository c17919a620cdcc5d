/* Which part of an image becomes a sample, and how large it is made. */
#ifndef THAW_DATA_FRAME_H
#define THAW_DATA_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct thaw_frame {
    size_t left, top, width, height;    /* this part of the image, in pixels of its full size */
    size_t scaled_width, scaled_height; /* is resized to this */
    size_t x, y;                        /* and the sample is cut out of that, from here */
    bool flipped;                       /* and mirrored, left to right */
} thaw_frame;

enum { THAW_FRAME_WORDS = 44 };

/* torchvision's evaluation transform: Resize(resize), of the shorter side, and CenterCrop(size). */
thaw_frame thaw_frame_center(size_t width, size_t height, size_t resize, size_t size);

/* torchvision's RandomResizedCrop(size), a part of 8 % to 100 % of the image with sides as 3 : 4 to 4 : 3, and
   RandomHorizontalFlip(), drawn from these random words. */
thaw_frame thaw_frame_random(size_t width, size_t height, size_t size, const uint32_t words[THAW_FRAME_WORDS]);

/* How large the image must be, in terms of its full size, so that nothing is enlarged that need not be. */
double thaw_frame_scale(const thaw_frame *frame);

#endif
