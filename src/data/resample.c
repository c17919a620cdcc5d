#include "data/resample.h"

#include <math.h>

enum {
    CHANNELS = THAW_IMAGE_CHANNELS,
    FRACTION_BITS = 22, /* bits of weights: 32 bits less 8 of a pixel, a sign, and one spare bit */
    HALF = 1 << (FRACTION_BITS - 1)
};

/* The source pixels of one column or row of the result. */
typedef struct taps {
    size_t first, count; /* pixels */
    const int32_t *weights;
} taps;

/* Along one axis. */
typedef struct axis {
    size_t origin, length; /* the pixels that may contribute */
    double begin, step;    /* where the part begins, and the source pixels per result pixel */
    size_t offset;         /* of the first result pixel that is needed */
} axis;

static axis make_axis(size_t begin, size_t length, double scale, size_t pixels, size_t scaled, size_t offset)
{
    const double from = (double)begin * scale, to = (double)(begin + length) * scale;
    const double floored = floor(from), past = ceil(to) < (double)pixels ? ceil(to) : (double)pixels;
    return (axis){
        .origin = (size_t)floored,
        .length = (size_t)(past - floored),
        .begin = from - floored,
        .step = (to - from) / (double)scaled,
        .offset = offset,
    };
}

/* Rounds to nearest, halves away from zero. */
static int32_t to_fixed_point(double weight)
{
    return (int32_t)(weight * (1 << FRACTION_BITS) + (weight < 0 ? -0.5 : 0.5));
}

static double triangle(double distance)
{
    const double far = fabs(distance);
    return far < 1 ? 1 - far : 0;
}

/* The weights of one result pixel: a triangle around its centre, as wide as the source area that it covers. */
static taps weigh(const axis *along, size_t place, int32_t *weights)
{
    const double reach = along->step > 1 ? along->step : 1;
    const double center = along->begin + ((double)(place + along->offset) + 0.5) * along->step;
    const double least = center - reach + 0.5, most = center + reach + 0.5;
    const size_t first = least > 0 ? (size_t)least : 0;
    const size_t past = most < (double)along->length ? (size_t)most : along->length;
    double sum = 0;
    for (size_t i = first; i < past; i++)
        sum += triangle(((double)i - center + 0.5) * (1 / reach));
    for (size_t i = first; i < past; i++)
        weights[i - first] = to_fixed_point(triangle(((double)i - center + 0.5) * (1 / reach)) / sum);
    return (taps){ .first = first + along->origin, .count = past - first, .weights = weights };
}

/* The taps of `size` result pixels, or NULL without memory. */
static taps *weigh_all(const axis *along, size_t size, thaw_scratch *scratch)
{
    const size_t most = 2 * (size_t)ceil(along->step > 1 ? along->step : 1) + 1;
    taps *all = thaw_scratch_reserve(scratch, size * (sizeof *all + most * sizeof(int32_t)));
    if (!all)
        return NULL;
    int32_t *weights = (int32_t *)(void *)(all + size);
    for (size_t i = 0; i < size; i++)
        all[i] = weigh(along, i, weights + i * most);
    return all;
}

static uint8_t to_byte(int32_t sum)
{
    const int32_t value = sum >> FRACTION_BITS;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void resize_across(const uint8_t *restrict row, const taps *columns, size_t size, uint8_t *restrict result)
{
    for (size_t x = 0; x < size; x++, result += CHANNELS) {
        const uint8_t *pixel = row + columns[x].first * CHANNELS;
        int32_t red = HALF, green = HALF, blue = HALF;
        for (size_t i = 0; i < columns[x].count; i++, pixel += CHANNELS) {
            const int32_t weight = columns[x].weights[i];
            red += weight * pixel[0];
            green += weight * pixel[1];
            blue += weight * pixel[2];
        }
        result[0] = to_byte(red);
        result[1] = to_byte(green);
        result[2] = to_byte(blue);
    }
}

/* In blocks that stay in registers. */
static void resize_down(const uint8_t *restrict rows, const taps *row, size_t row_bytes, uint8_t *restrict result)
{
    enum { PIECE = 64 };
    for (size_t begin = 0; begin < row_bytes; begin += PIECE) {
        const size_t bytes = row_bytes - begin < PIECE ? row_bytes - begin : PIECE;
        int32_t sums[PIECE];
        for (size_t x = 0; x < PIECE; x++)
            sums[x] = HALF;
        for (size_t i = 0; i < row->count; i++)
            for (size_t x = 0; x < bytes; x++)
                sums[x] += row->weights[i] * rows[i * row_bytes + begin + x];
        for (size_t x = 0; x < bytes; x++)
            result[begin + x] = to_byte(sums[x]);
    }
}

static void mirror(uint8_t *row, size_t size)
{
    for (size_t left = 0, right = size - 1; left < right; left++, right--)
        for (size_t c = 0; c < CHANNELS; c++) {
            const uint8_t kept = row[left * CHANNELS + c];
            row[left * CHANNELS + c] = row[right * CHANNELS + c];
            row[right * CHANNELS + c] = kept;
        }
}

bool thaw_resample(thaw_resampler *resampler, const thaw_image *image, const thaw_frame *frame, size_t size,
                   uint8_t *result)
{
    const axis across = make_axis(frame->left, frame->width, image->scale, image->width, frame->scaled_width, frame->x);
    const axis down = make_axis(frame->top, frame->height, image->scale, image->height, frame->scaled_height, frame->y);
    const taps *columns = weigh_all(&across, size, &resampler->across);
    const taps *rows = weigh_all(&down, size, &resampler->down);
    if (!columns || !rows)
        return false;
    const size_t row_bytes = size * CHANNELS, first = rows[0].first;
    const size_t past = rows[size - 1].first + rows[size - 1].count;
    uint8_t *resized = thaw_scratch_reserve(&resampler->rows, (past - first) * row_bytes);
    if (!resized)
        return false;
    const uint8_t *pixels = image->pixels.memory;
    for (size_t y = first; y < past; y++)
        resize_across(pixels + y * image->width * CHANNELS, columns, size, resized + (y - first) * row_bytes);
    for (size_t y = 0; y < size; y++) {
        resize_down(resized + (rows[y].first - first) * row_bytes, &rows[y], row_bytes, result + y * row_bytes);
        if (frame->flipped)
            mirror(result + y * row_bytes, size);
    }
    return true;
}

void thaw_resampler_trim(thaw_resampler *resampler, size_t most_bytes)
{
    thaw_scratch_trim(&resampler->across, most_bytes);
    thaw_scratch_trim(&resampler->down, most_bytes);
    thaw_scratch_trim(&resampler->rows, most_bytes);
}
