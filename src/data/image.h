/* Images from the bytes of a JPEG or PNG file. No call here touches the context's message, so that threads may decode
   side by side. */
#ifndef THAW_DATA_IMAGE_H
#define THAW_DATA_IMAGE_H

#include "data/scratch.h"

enum {
    THAW_IMAGE_CHANNELS = 3,
    THAW_IMAGE_MOST_PIXELS = 89478485, /* Pillow's limit: a quarter of a GiB at 3 bytes a pixel */
    THAW_IMAGE_MOST_SIDE = 65535,
    THAW_IMAGE_MAGIC_BYTES = 12
};

typedef struct thaw_image {
    thaw_scratch pixels;  /* [height, width, 3] bytes: red, green, blue */
    size_t width, height; /* of the pixels */
    double scale;         /* the pixels' size in terms of the file's: 1, or less where less was asked for */
} thaw_image;

/* How large an image must be decoded, in terms of its own size: told from that. 1 or more: fully. */
typedef struct thaw_image_request {
    double (*scale)(void *argument, size_t width, size_t height);
    void *argument;
} thaw_image_request;

/* What the first bytes of a file say that it is: "JPEG", "PNG", or another kind of image that is not read; NULL: none
   that is known. */
const char *thaw_image_kind(const uint8_t *bytes, size_t count, bool *readable);

/* Decodes. Grey becomes colour with three equal channels, CMYK is taken as Adobe stores it (inverted), palettes are
   resolved, alpha is dropped, of 16 bits the high 8 are kept, orientation marks (EXIF) and gamma are ignored: all as
   Pillow's convert("RGB"), but for grey of 16 bits, which Pillow clips at 255.
   Errors, with the reason in `message`: THAW_BAD_FORMAT (broken, cut short, above the limits), THAW_OUT_OF_MEMORY. */
thaw_status thaw_image_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                              char *message, size_t capacity);

/* The two kinds. */
thaw_status thaw_jpeg_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                             char *message, size_t capacity);
thaw_status thaw_png_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                            char *message, size_t capacity);

/* For them: refuses what is above the limits, and makes room for pixels. */
thaw_status thaw_image_check_size(size_t width, size_t height, char *message, size_t capacity);
thaw_status thaw_image_reserve(thaw_image *image, size_t width, size_t height, char *message, size_t capacity);

#endif
