/* Resizes images with 8 bits per channel: linear interpolation over all the source pixels that a result pixel covers
   (antialiasing). Arithmetic and results are Pillow's, bit for bit (Image.resize with BILINEAR). */
#ifndef THAW_DATA_RESAMPLE_H
#define THAW_DATA_RESAMPLE_H

#include "data/frame.h"
#include "data/image.h"

/* Buffers of one thread. Starts as zero, except the contexts. */
typedef struct thaw_resampler {
    thaw_scratch across, down; /* the weights of the source pixels for each column and each row of the result */
    thaw_scratch rows;         /* resized horizontally, not yet vertically */
} thaw_resampler;

void thaw_resampler_trim(thaw_resampler *resampler, size_t most_bytes);

/* Writes the part of the image that the frame describes: [size, size, 3]. False: no memory. */
bool thaw_resample(thaw_resampler *resampler, const thaw_image *image, const thaw_frame *frame, size_t size,
                   uint8_t *result);

#endif
