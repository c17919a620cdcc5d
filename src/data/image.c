#include "data/image.h"

#include <stdio.h>

thaw_status thaw_image_check_size(size_t width, size_t height, char *message, size_t capacity)
{
    if (width >= 1 && height >= 1 && width <= THAW_IMAGE_MOST_SIDE && height <= THAW_IMAGE_MOST_SIDE &&
        width * height <= THAW_IMAGE_MOST_PIXELS)
        return THAW_OK;
    snprintf(message, capacity, "has %zu x %zu pixels by its header, must have at most %d, and %d per side", width,
             height, THAW_IMAGE_MOST_PIXELS, THAW_IMAGE_MOST_SIDE);
    return THAW_BAD_FORMAT;
}

thaw_status thaw_image_reserve(thaw_image *image, size_t width, size_t height, char *message, size_t capacity)
{
    const size_t bytes = width * height * THAW_IMAGE_CHANNELS;
    image->width = width;
    image->height = height;
    if (thaw_scratch_reserve(&image->pixels, bytes))
        return THAW_OK;
    snprintf(message, capacity, "out of memory for its %zu x %zu pixels", width, height);
    return THAW_OUT_OF_MEMORY;
}
