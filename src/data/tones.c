/* Changes of values by tables, as Pillow's ImageOps makes them. */
#include <string.h>

#include "data/pixels.h"

enum { CHANNELS = 3, LEVELS = 256 };

typedef uint8_t table[LEVELS];

static void look_up(thaw_pixels *pixels, size_t channel, const table values)
{
    const size_t count = pixels->size * pixels->size;
    for (size_t i = 0; i < count; i++)
        pixels->bytes[CHANNELS * i + channel] = values[pixels->bytes[CHANNELS * i + channel]];
}

static void look_up_all(thaw_pixels *pixels, const table values)
{
    for (size_t c = 0; c < CHANNELS; c++)
        look_up(pixels, c, values);
}

static void count_levels(const thaw_pixels *pixels, size_t channel, size_t counts[LEVELS])
{
    const size_t count = pixels->size * pixels->size;
    memset(counts, 0, LEVELS * sizeof *counts);
    for (size_t i = 0; i < count; i++)
        counts[pixels->bytes[CHANNELS * i + channel]]++;
}

void thaw_pixels_posterize(thaw_pixels *pixels, unsigned bits)
{
    table values;
    for (unsigned i = 0; i < LEVELS; i++)
        values[i] = (uint8_t)(i >> (8 - bits) << (8 - bits));
    look_up_all(pixels, values);
}

void thaw_pixels_solarize(thaw_pixels *pixels, double threshold)
{
    table values;
    for (int i = 0; i < LEVELS; i++)
        values[i] = (uint8_t)((double)i < threshold ? i : LEVELS - 1 - i);
    look_up_all(pixels, values);
}

void thaw_pixels_stretch(thaw_pixels *pixels)
{
    for (size_t c = 0; c < CHANNELS; c++) {
        size_t counts[LEVELS];
        table values;
        int least = 0, most = LEVELS - 1;
        count_levels(pixels, c, counts);
        while (counts[least] == 0)
            least++;
        while (counts[most] == 0)
            most--;
        if (most == least)
            continue;
        const double scale = 255.0 / (most - least), offset = -least * scale;
        for (int i = 0; i < LEVELS; i++) {
            const double value = i * scale + offset;
            values[i] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
        }
        look_up(pixels, c, values);
    }
}

void thaw_pixels_equalize(thaw_pixels *pixels)
{
    const size_t count = pixels->size * pixels->size;
    for (size_t c = 0; c < CHANNELS; c++) {
        size_t counts[LEVELS];
        table values;
        int most = LEVELS - 1;
        count_levels(pixels, c, counts);
        while (counts[most] == 0)
            most--;
        const size_t step = (count - counts[most]) / 255;
        if (step == 0)
            continue;
        size_t sum = step / 2;
        for (size_t i = 0; i < LEVELS; sum += counts[i++])
            values[i] = (uint8_t)(sum / step > 255 ? 255 : sum / step);
        look_up(pixels, c, values);
    }
}
