/* Turns an image file into a sample: reads, decodes, crops, normalises. One reader serves one thread. */
#ifndef THAW_DATA_IMAGE_READER_H
#define THAW_DATA_IMAGE_READER_H

#include "data/augment.h"
#include "data/resample.h"

enum { THAW_IMAGE_MOST_BYTES = 1 << 28 }; /* of a file */

/* How images become samples: [size, size, channels]. */
typedef struct thaw_sample_form {
    size_t size, resize;                       /* the shorter side is resized to `resize` before the crop */
    size_t channels;                           /* 3, or 1: luminance */
    bool decode_fully;                         /* decode JPEG at full size, even if less would suffice */
    float levels[THAW_IMAGE_CHANNELS][1 << 8]; /* the value of each byte */
} thaw_sample_form;

/* (byte / 255 - mean) / deviation, in floats. */
void thaw_sample_form_set_levels(thaw_sample_form *form, const float *means, const float *deviations);

/* Starts as zero, except the form and the contexts (thaw_image_reader_begin). */
typedef struct thaw_image_reader {
    const thaw_sample_form *form;
    thaw_scratch file, result;
    thaw_image image;
    thaw_resampler resampler;
} thaw_image_reader;

void thaw_image_reader_begin(thaw_image_reader *reader, thaw_context *context, const thaw_sample_form *form);
void thaw_image_reader_end(thaw_image_reader *reader);

/* Reads the file at `path`, relative to an open directory, into one sample: the middle of the image, or what `draw`
   makes of it if that is not NULL. Errors, with the reason in `message`: THAW_BAD_FORMAT and THAW_IO_ERROR (the
   file's own), THAW_OUT_OF_MEMORY (also if no file descriptor is left). */
thaw_status thaw_image_reader_read(thaw_image_reader *reader, int directory, const char *path,
                                   const thaw_augment_draw *draw, float *sample, char *message, size_t capacity);

/* Makes one sample of the middle of an image, from the bytes of its file. Errors as above. */
thaw_status thaw_image_reader_decode(thaw_image_reader *reader, const void *bytes, size_t count, float *sample,
                                     char *message, size_t capacity);

/* Opens any kind of file for reading, without blocking. -1 on failure, with errno set. */
int thaw_image_open(int directory, const char *path);

#endif
