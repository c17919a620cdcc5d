/* PNG by libpng, whose errors jump out of its calls, back into read_image. */
#include <png.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "data/image.h"

typedef struct run {
    png_struct *png;
    png_info *info;
    thaw_image *image;
    const uint8_t *bytes; /* not yet read */
    size_t left;
    bool starved; /* an allocation failed */
    thaw_status status;
    char *message;
    size_t capacity;
} run;

static _Noreturn void leave(run *now, thaw_status status)
{
    now->status = status;
    png_longjmp(now->png, 1);
}

static void fail(png_struct *png, const char *reason)
{
    run *now = png_get_error_ptr(png);
    now->png = png; /* unset while the reader is being created */
    snprintf(now->message, now->capacity, "is broken: %s", reason);
    leave(now, now->starved ? THAW_OUT_OF_MEMORY : THAW_BAD_FORMAT);
}

static void hear(png_struct *png, const char *warning)
{
    (void)png, (void)warning;
}

static void *allocate(png_struct *png, png_alloc_size_t bytes)
{
    run *now = png_get_mem_ptr(png);
    void *memory = thaw_allocate_quietly(now->image->pixels.context, bytes);
    now->starved |= !memory;
    return memory;
}

static void release(png_struct *png, void *memory)
{
    const run *now = png_get_mem_ptr(png);
    thaw_release(now->image->pixels.context, memory);
}

static void read_bytes(png_struct *png, uint8_t *into, size_t count)
{
    run *now = png_get_io_ptr(png);
    if (count > now->left) {
        snprintf(now->message, now->capacity, "is cut short");
        leave(now, THAW_BAD_FORMAT);
    }
    memcpy(into, now->bytes, count);
    now->bytes += count;
    now->left -= count;
}

/* Converts every format to three bytes per pixel. */
static void ask_for_colours(const run *now)
{
    png_set_strip_16(now->png);
    png_set_expand(now->png);
    png_set_strip_alpha(now->png);
    png_set_gray_to_rgb(now->png);
}

/* A function of its own: after a jump, the locals that the jumping function changed are undefined. */
static void read_image(run *now, const thaw_image_request *request)
{
    png_struct *png = now->png;
    if (setjmp(png_jmpbuf(png)) != 0)
        return;
    png_set_read_fn(png, now, read_bytes);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* our messages say more */
    png_read_info(png, now->info);
    const size_t width = png_get_image_width(png, now->info), height = png_get_image_height(png, now->info);
    if (thaw_image_check_size(width, height, now->message, now->capacity) != THAW_OK)
        leave(now, THAW_BAD_FORMAT);
    ask_for_colours(now);
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, now->info);
    const size_t row_bytes = width * THAW_IMAGE_CHANNELS;
    if (png_get_rowbytes(png, now->info) != row_bytes)
        png_error(png, "its pixels do not have the expected size");
    now->image->scale = 1;
    request->scale(request->argument, width, height); /* learns the full size; PNG has no smaller one */
    const thaw_status status = thaw_image_reserve(now->image, width, height, now->message, now->capacity);
    if (status != THAW_OK)
        leave(now, status);
    for (int pass = 0; pass < passes; pass++)
        for (size_t y = 0; y < height; y++)
            png_read_row(png, (uint8_t *)now->image->pixels.memory + y * row_bytes, NULL);
}

static thaw_status explain_missing(const run *now)
{
    snprintf(now->message, now->capacity, "out of memory to decode it");
    return THAW_OUT_OF_MEMORY;
}

thaw_status thaw_png_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                            char *message, size_t capacity)
{
    run now = { .image = image, .bytes = bytes, .left = count, .message = message, .capacity = capacity };
    now.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &now, fail, hear, &now, allocate, release);
    if (!now.png)
        return explain_missing(&now);
    now.info = png_create_info_struct(now.png);
    if (!now.info)
        now.status = explain_missing(&now);
    else
        read_image(&now, request);
    png_destroy_read_struct(&now.png, &now.info, NULL);
    return now.status;
}
