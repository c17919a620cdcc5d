/* JPEG by libjpeg-turbo, whose errors jump out of its calls, back into decode. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

/* After stdio.h, which it needs. */
#include <jerror.h>
#include <jpeglib.h>

#include "data/image.h"

enum {
    EIGHTHS = 8,      /* the unit of scaled decoding */
    MOST_SCANS = 500, /* of a progressive file: each scan costs work over the whole image */
    CMYK = 4
};

typedef struct run {
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    thaw_image *image;
    thaw_status status;
    char *message;
    size_t capacity;
} run;

static _Noreturn void leave(run *now, thaw_status status)
{
    now->status = status;
    longjmp(now->escape, 1);
}

static void fail(j_common_ptr common)
{
    run *now = common->client_data;
    char reason[JMSG_LENGTH_MAX];
    common->err->format_message(common, reason);
    snprintf(now->message, now->capacity, "is broken: %s", reason);
    leave(now, common->err->msg_code == JERR_OUT_OF_MEMORY ? THAW_OUT_OF_MEMORY : THAW_BAD_FORMAT);
}

/* Ignores warnings, as Pillow does, except the one that says that the rest is made up. */
static void hear(j_common_ptr common, int level)
{
    run *now = common->client_data;
    if (level >= 0 || common->err->msg_code != JWRN_JPEG_EOF)
        return;
    snprintf(now->message, now->capacity, "is cut short");
    leave(now, THAW_BAD_FORMAT);
}

static void print_nothing(j_common_ptr common)
{
    (void)common;
}

static void count_scans(j_common_ptr common)
{
    run *now = common->client_data;
    if (now->jpeg.input_scan_number <= MOST_SCANS)
        return;
    snprintf(now->message, now->capacity, "has more than %d scans", MOST_SCANS);
    leave(now, THAW_BAD_FORMAT);
}

/* Reads the header and chooses the size to decode at. */
static void prepare(run *now, const thaw_image_request *request)
{
    struct jpeg_decompress_struct *jpeg = &now->jpeg;
    jpeg_read_header(jpeg, TRUE);
    const size_t width = jpeg->image_width, height = jpeg->image_height;
    if (thaw_image_check_size(width, height, now->message, now->capacity) != THAW_OK)
        leave(now, THAW_BAD_FORMAT);
    const double wanted = request->scale(request->argument, width, height);
    jpeg->scale_num = EIGHTHS;
    jpeg->scale_denom = EIGHTHS;
    /* Powers of two only: the library has vector code for these scales, and the others are slower than full size. */
    while (jpeg->scale_num > 1 && (double)jpeg->scale_num / 2 / EIGHTHS >= wanted)
        jpeg->scale_num /= 2;
    jpeg->out_color_space = jpeg->num_components == CMYK ? JCS_CMYK : JCS_RGB;
    now->image->scale = (double)jpeg->scale_num / EIGHTHS;
    jpeg_start_decompress(jpeg);
    const thaw_status status =
        thaw_image_reserve(now->image, jpeg->output_width, jpeg->output_height, now->message, now->capacity);
    if (status != THAW_OK)
        leave(now, status);
}

static void read_rows(run *now)
{
    struct jpeg_decompress_struct *jpeg = &now->jpeg;
    const size_t row_bytes = now->image->width * THAW_IMAGE_CHANNELS;
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = (JSAMPROW)now->image->pixels.memory + jpeg->output_scanline * row_bytes;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
}

/* left * right / 255, rounded. */
static unsigned multiply(unsigned left, unsigned right)
{
    const unsigned product = left * right + 128;
    return ((product >> 8) + product) >> 8;
}

/* Adobe stores inverted ink. With `ink` = 255 - stored, a channel is the light that black leaves, less what the ink
   takes of it. */
static void convert_inks(const uint8_t *stored, size_t count, uint8_t *colours)
{
    for (size_t i = 0; i < count; i++, stored += CMYK, colours += THAW_IMAGE_CHANNELS)
        for (size_t c = 0; c < THAW_IMAGE_CHANNELS; c++)
            colours[c] = (uint8_t)(stored[3] - multiply(255U - stored[c], stored[3]));
}

static void read_inks(run *now)
{
    struct jpeg_decompress_struct *jpeg = &now->jpeg;
    const size_t width = now->image->width, row_bytes = width * THAW_IMAGE_CHANNELS;
    JSAMPARRAY row = jpeg->mem->alloc_sarray((j_common_ptr)jpeg, JPOOL_IMAGE, (JDIMENSION)(width * CMYK), 1);
    while (jpeg->output_scanline < jpeg->output_height) {
        uint8_t *colours = (uint8_t *)now->image->pixels.memory + jpeg->output_scanline * row_bytes;
        jpeg_read_scanlines(jpeg, row, 1);
        convert_inks(row[0], width, colours);
    }
}

/* A function of its own: after a jump, the locals that the jumping function changed are undefined. */
static void decode(run *now, const uint8_t *bytes, size_t count, const thaw_image_request *request)
{
    if (setjmp(now->escape) != 0)
        return;
    now->jpeg.err = jpeg_std_error(&now->errors);
    now->errors.error_exit = fail;
    now->errors.emit_message = hear;
    now->errors.output_message = print_nothing;
    now->jpeg.client_data = now;
    jpeg_create_decompress(&now->jpeg);
    now->progress.progress_monitor = count_scans;
    now->jpeg.progress = &now->progress;
    jpeg_mem_src(&now->jpeg, bytes, count);
    prepare(now, request);
    if (now->jpeg.out_color_space == JCS_CMYK)
        read_inks(now);
    else
        read_rows(now);
}

thaw_status thaw_jpeg_decode(thaw_image *image, const uint8_t *bytes, size_t count, const thaw_image_request *request,
                             char *message, size_t capacity)
{
    run now = { .image = image, .message = message, .capacity = capacity };
    decode(&now, bytes, count, request);
    jpeg_destroy_decompress(&now.jpeg);
    return now.status;
}
