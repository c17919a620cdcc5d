/* Resizing of images with 8 bits a channel: linear interpolation over as many pixels as one of the result covers
   (antialiasing), in Pillow's arithmetic and with its results, bit for bit (Image.resize with BILINEAR). */
#ifndef THAW_DATA_RESAMPLE_H
#define THAW_DATA_RESAMPLE_H

#include "data/frame.h"
#include "data/image.h"

/* Buffers of one thread; the contexts are set at first, the rest is zero. */
typedef struct thaw_resampler {
    thaw_scratch across, down; /* weights of the pixels that make up each column, and each row, of the result */
    thaw_scratch rows;         /* resized across, not yet down */
} thaw_resampler;

void thaw_resampler_trim(thaw_resampler *resampler, size_t most_bytes);

/* Writes what the frame says of the image: [size, size, 3]. False: no memory. */
bool thaw_resample(thaw_resampler *resampler, const thaw_image *image, const thaw_frame *frame, size_t size,
                   uint8_t *result);

#endif
