/* Decodes images from the bytes of a JPEG or PNG file. No call here touches the context's message, so threads may
   decode concurrently. */
#ifndef THAW_DATA_IMAGE_H
#define THAW_DATA_IMAGE_H

#include "data/scratch.h"

enum {
    THAW_IMAGE_CHANNELS = 3,
    THAW_IMAGE_MOST_PIXELS = 89478485, /* Pillow's limit: a quarter of a GiB at 3 bytes per pixel */
    THAW_IMAGE_MOST_SIDE = 65535,
    THAW_IMAGE_MAGIC_BYTES = 12
};

typedef struct thaw_image {
    thaw_scratch pixels;  /* [height, width, 3] bytes: red, green, blue */
    size_t width, height; /* of the pixels */
    double scale;         /* the size of the pixels relative to the file's: 1, or less if less was asked for */
} thaw_image;

/* Chooses the size at which to decode an image, relative to its own, from its full size. 1 or more: the full size. */
typedef struct thaw_image_request {
    double (*scale)(void *argument, size_t width, size_t height);
    void *argument;
} thaw_image_request;

/* The kind of image that the first bytes indicate: "JPEG", "PNG", or an unsupported kind. NULL if unknown. */
const char *thaw_image_kind(const uint8_t *bytes, size_t count, bool *readable);

/* Decodes an image as Pillow's convert("RGB") does: grey becomes three equal channels, CMYK is inverted as Adobe stores
   it, palettes are resolved, alpha is dropped, and EXIF orientation and gamma are ignored. One difference: 16-bit
   channels keep their high 8 bits, where Pillow clips 16-bit grey at 255.
   Errors, with the reason in `message`: THAW_BAD_FORMAT (broken, cut short, above the limits), THAW_OUT_OF_MEMORY. */
thaw_status thaw_image_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                              char *message, size_t capacity);

/* The decoders of the two kinds. */
thaw_status thaw_jpeg_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                             char *message, size_t capacity);
thaw_status thaw_png_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                            char *message, size_t capacity);

/* For the decoders: checks the limits, and allocates the pixels. */
thaw_status thaw_image_check_size(size_t width, size_t height, char *message, size_t capacity);
thaw_status thaw_image_reserve(thaw_image *image, size_t width, size_t height, char *message, size_t capacity);

#endif
