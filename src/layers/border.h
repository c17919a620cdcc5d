/* Zeros below and right of images, for kernels that work on larger ones. */
#ifndef THAW_LAYERS_BORDER_H
#define THAW_LAYERS_BORDER_H

#include <thaw/layer_module.h>

typedef struct thaw_border {
    size_t batch, place_bytes;          /* of a place: all channels */
    size_t height, width;               /* of the images */
    size_t larger_height, larger_width; /* with their border */
} thaw_border;

/* Bytes of the larger images; 0 if there is no border. */
size_t thaw_border_bytes(const thaw_border *border);

void thaw_border_add(thaw_context *context, const thaw_border *border, const void *images, void *larger);
void thaw_border_remove(thaw_context *context, const thaw_border *border, const void *larger, void *images);

#endif
