/* Replaces jpeg.c and png.c if the library is built with -Dimages=disabled. */
#include <stdio.h>

#include "data/image.h"

static thaw_status refuse(const char *kind, char *message, size_t capacity)
{
    snprintf(message, capacity, "is a %s image, and this libthaw was built with -Dimages=disabled", kind);
    return THAW_UNSUPPORTED;
}

thaw_status thaw_jpeg_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                             char *message, size_t capacity)
{
    (void)image, (void)bytes, (void)count, (void)request;
    return refuse("JPEG", message, capacity);
}

thaw_status thaw_png_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                            char *message, size_t capacity)
{
    (void)image, (void)bytes, (void)count, (void)request;
    return refuse("PNG", message, capacity);
}
