#include "data/image_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/open.h"
#include "data/luminance.h"

/* Buffers that a reader keeps between images. */
enum { KEPT_BYTES = 1 << 24 };

void thaw_sample_form_set_levels(thaw_sample_form *form, const float *means, const float *deviations)
{
    for (size_t c = 0; c < form->channels; c++)
        for (size_t byte = 0; byte < THAW_COUNT(form->levels[c]); byte++)
            form->levels[c][byte] = ((float)byte / 255.0F - means[c]) / deviations[c];
}

void thaw_image_reader_begin(thaw_image_reader *reader, thaw_context *context, const thaw_sample_form *form)
{
    const thaw_scratch empty = { .context = context };
    *reader = (thaw_image_reader){
        .form = form,
        .file = empty,
        .result = empty,
        .image.pixels = empty,
        .resampler = { .across = empty, .down = empty, .rows = empty },
    };
}

static void trim(thaw_image_reader *reader, size_t most_bytes)
{
    thaw_scratch_trim(&reader->file, most_bytes);
    thaw_scratch_trim(&reader->result, most_bytes);
    thaw_scratch_trim(&reader->image.pixels, most_bytes);
    thaw_resampler_trim(&reader->resampler, most_bytes);
}

void thaw_image_reader_end(thaw_image_reader *reader)
{
    trim(reader, 0);
}

/* ---------------------------------------------------------------- the file */

int thaw_image_open(int directory, const char *path)
{
    return thaw_open(directory, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
}

/* Distinguishes a failing system from a failing file. */
static thaw_status explain(char *message, size_t capacity)
{
    const int error = errno;
    snprintf(message, capacity, "cannot be read: %s", strerror(error));
    return error == ENOMEM || error == EMFILE || error == ENFILE ? THAW_OUT_OF_MEMORY : THAW_IO_ERROR;
}

static thaw_status read_all(int file, uint8_t *bytes, size_t wanted, size_t *count, char *message, size_t capacity)
{
    *count = 0;
    while (*count < wanted) {
        const ssize_t got = read(file, bytes + *count, wanted - *count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return explain(message, capacity);
        if (got == 0)
            break;
        *count += (size_t)got;
    }
    return THAW_OK;
}

static thaw_status refuse(const char *reason, char *message, size_t capacity)
{
    snprintf(message, capacity, "%s", reason);
    return THAW_BAD_FORMAT;
}

static thaw_status read_open(thaw_image_reader *reader, int file, size_t *count, char *message, size_t capacity)
{
    struct stat about;
    if (fstat(file, &about) != 0)
        return explain(message, capacity);
    if (!S_ISREG(about.st_mode))
        return refuse("is not a regular file", message, capacity);
    if (about.st_size > THAW_IMAGE_MOST_BYTES)
        return refuse("is larger than 256 MiB", message, capacity);
    const size_t bytes = (size_t)about.st_size;
    if (!thaw_scratch_reserve(&reader->file, bytes ? bytes : 1)) {
        snprintf(message, capacity, "out of memory for its %zu bytes", bytes);
        return THAW_OUT_OF_MEMORY;
    }
    return read_all(file, reader->file.memory, bytes, count, message, capacity);
}

static thaw_status read_file(thaw_image_reader *reader, int directory, const char *path, size_t *count, char *message,
                             size_t capacity)
{
    const int file = thaw_image_open(directory, path);
    if (file < 0)
        return explain(message, capacity);
    const thaw_status status = read_open(reader, file, count, message, capacity);
    close(file);
    return status;
}

/* ---------------------------------------------------------------- the sample */

typedef struct framing {
    const thaw_sample_form *form;
    const thaw_augment_draw *draw;
    thaw_frame frame;
} framing;

static double choose_frame(void *argument, size_t width, size_t height)
{
    framing *framed = argument;
    const thaw_sample_form *form = framed->form;
    framed->frame = thaw_frame_center(width, height, form->resize, form->size);
    if (framed->draw)
        thaw_augment_frame(framed->draw, width, height, form->size, &framed->frame);
    return form->decode_fully ? 1 : thaw_frame_scale(&framed->frame);
}

static void normalise(const thaw_sample_form *form, const uint8_t *restrict pixels, float *restrict sample)
{
    const size_t count = form->size * form->size;
    if (form->channels == 1) {
        for (size_t i = 0; i < count; i++)
            sample[i] = form->levels[0][thaw_luminance(pixels + THAW_IMAGE_CHANNELS * i)];
        return;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t c = 0; c < THAW_IMAGE_CHANNELS; c++)
            sample[THAW_IMAGE_CHANNELS * i + c] = form->levels[c][pixels[THAW_IMAGE_CHANNELS * i + c]];
}

static thaw_status make_sample(thaw_image_reader *reader, const uint8_t *bytes, size_t count,
                               const thaw_augment_draw *draw, float *sample, char *message, size_t capacity)
{
    const thaw_sample_form *form = reader->form;
    framing framed = { .form = form, .draw = draw };
    const thaw_image_request request = { choose_frame, &framed };
    thaw_status status = thaw_image_decode(&reader->image, bytes, count, &request, message, capacity);
    if (status != THAW_OK)
        return status;
    const size_t bytes_each = form->size * form->size * THAW_IMAGE_CHANNELS;
    thaw_pixels pixels = { .bytes = thaw_scratch_reserve(&reader->result, (draw ? 2 : 1) * bytes_each),
                           .size = form->size };
    if (!pixels.bytes || !thaw_resample(&reader->resampler, &reader->image, &framed.frame, form->size, pixels.bytes)) {
        snprintf(message, capacity, "out of memory to resize it");
        return THAW_OUT_OF_MEMORY;
    }
    pixels.spare = pixels.bytes + bytes_each;
    if (draw)
        thaw_augment_pixels(draw, &pixels);
    normalise(form, pixels.bytes, sample);
    if (draw)
        thaw_augment_sample(draw, sample, form->size, form->channels);
    return THAW_OK;
}

thaw_status thaw_image_reader_read(thaw_image_reader *reader, int directory, const char *path,
                                   const thaw_augment_draw *draw, float *sample, char *message, size_t capacity)
{
    size_t count;
    thaw_status status = read_file(reader, directory, path, &count, message, capacity);
    if (status == THAW_OK)
        status = make_sample(reader, reader->file.memory, count, draw, sample, message, capacity);
    trim(reader, KEPT_BYTES);
    return status;
}

thaw_status thaw_image_reader_decode(thaw_image_reader *reader, const void *bytes, size_t count, float *sample,
                                     char *message, size_t capacity)
{
    const thaw_status status = count <= THAW_IMAGE_MOST_BYTES
                                   ? make_sample(reader, bytes, count, NULL, sample, message, capacity)
                                   : refuse("is larger than 256 MiB", message, capacity);
    trim(reader, KEPT_BYTES);
    return status;
}
