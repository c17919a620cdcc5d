#include "data/frame.h"

#include <math.h>

#include "core/philox.h"

/* Random crops: the number of attempts, and the random words that each attempt uses. */
enum { ATTEMPTS = 10, WORDS_EACH = 4 };
_Static_assert(ATTEMPTS *WORDS_EACH == THAW_FRAME_WORDS, "words suffice");

/* Rounds halves to even, as Python's round. */
static size_t round_half(size_t doubled)
{
    const size_t half = doubled / 2;
    return half + (doubled % 2 && half % 2);
}

thaw_frame thaw_frame_center(size_t width, size_t height, size_t resize, size_t size)
{
    const size_t shorter = width < height ? width : height;
    thaw_frame frame = { .width = width, .height = height };
    frame.scaled_width = resize * width / shorter;
    frame.scaled_height = resize * height / shorter;
    frame.x = round_half(frame.scaled_width - size);
    frame.y = round_half(frame.scaled_height - size);
    return frame;
}

static double between(double least, double most, uint32_t word)
{
    return least + (most - least) * (double)thaw_unit(word);
}

static size_t below(size_t bound, uint32_t word)
{
    return (size_t)((uint64_t)word * bound >> 32);
}

/* One attempt at a crop of random area, ratio and position; false if it does not fit into the image. */
static bool try_crop(thaw_frame *frame, size_t width, size_t height, const thaw_crop_bounds *bounds,
                     const uint32_t words[WORDS_EACH])
{
    const double area = (double)width * (double)height * between(bounds->least_area, bounds->most_area, words[0]);
    const double ratio = exp(between(log(bounds->least_ratio), log(bounds->most_ratio), words[1]));
    const double crop_width = rint(sqrt(area * ratio)), crop_height = rint(sqrt(area / ratio));
    if (crop_width < 1 || crop_height < 1 || crop_width > (double)width || crop_height > (double)height)
        return false;
    frame->width = (size_t)crop_width;
    frame->height = (size_t)crop_height;
    frame->top = below(height - frame->height + 1, words[2]);
    frame->left = below(width - frame->width + 1, words[3]);
    return true;
}

static size_t at_least_one(double side)
{
    return side < 1 ? 1 : (size_t)side;
}

/* The largest centred crop whose ratio is within bounds. */
static void take_middle(thaw_frame *frame, size_t width, size_t height, const thaw_crop_bounds *bounds)
{
    const double ratio = (double)width / (double)height;
    frame->width = width;
    frame->height = height;
    if (ratio < bounds->least_ratio)
        frame->height = at_least_one(rint((double)width / bounds->least_ratio));
    else if (ratio > bounds->most_ratio)
        frame->width = at_least_one(rint((double)height * bounds->most_ratio));
    frame->left = (width - frame->width) / 2;
    frame->top = (height - frame->height) / 2;
}

thaw_frame thaw_frame_random(size_t width, size_t height, size_t size, const thaw_crop_bounds *bounds,
                             const uint32_t words[THAW_FRAME_WORDS])
{
    thaw_frame frame = { .scaled_width = size, .scaled_height = size };
    bool found = false;
    for (size_t i = 0; i < ATTEMPTS && !found; i++)
        found = try_crop(&frame, width, height, bounds, words + WORDS_EACH * i);
    if (!found)
        take_middle(&frame, width, height, bounds);
    return frame;
}

double thaw_frame_scale(const thaw_frame *frame)
{
    const double across = (double)frame->scaled_width / (double)frame->width;
    const double down = (double)frame->scaled_height / (double)frame->height;
    return across > down ? across : down;
}
