#include "layers/border.h"

#include <string.h>

/* The fewest bytes that a thread moves. */
enum { GRAIN = 1 << 15 };

typedef struct job {
    const thaw_border *border;
    const char *from;
    char *into;
} job;

size_t thaw_border_bytes(const thaw_border *border)
{
    const thaw_border *b = border;
    const bool none = b->larger_height == b->height && b->larger_width == b->width;
    return none ? 0 : b->batch * b->larger_height * b->larger_width * b->place_bytes;
}

/* Rows of the larger images. */
static void add_rows(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const thaw_border *b = j->border;
    const size_t bytes = b->width * b->place_bytes, larger = b->larger_width * b->place_bytes;
    for (size_t i = begin; i < end; i++) {
        const size_t image = i / b->larger_height, row = i % b->larger_height;
        const size_t copied = row < b->height ? bytes : 0;
        if (copied > 0)
            memcpy(j->into + i * larger, j->from + (image * b->height + row) * bytes, copied);
        memset(j->into + i * larger + copied, 0, larger - copied);
    }
}

static void remove_from_rows(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const thaw_border *b = j->border;
    const size_t bytes = b->width * b->place_bytes, larger = b->larger_width * b->place_bytes;
    for (size_t i = begin; i < end; i++)
        memcpy(j->into + i * bytes, j->from + (i / b->height * b->larger_height + i % b->height) * larger, bytes);
}

static size_t grain_of(const thaw_border *border)
{
    return GRAIN / (border->larger_width * border->place_bytes) + 1;
}

void thaw_border_add(thaw_context *context, const thaw_border *border, const void *images, void *larger)
{
    thaw_parallel_for(context, border->batch * border->larger_height, grain_of(border), add_rows,
                      &(job){ border, images, larger });
}

void thaw_border_remove(thaw_context *context, const thaw_border *border, const void *larger, void *images)
{
    thaw_parallel_for(context, border->batch * border->height, grain_of(border), remove_from_rows,
                      &(job){ border, larger, images });
}
