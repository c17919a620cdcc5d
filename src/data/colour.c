/* Blends of an image with what it is without a property, as Pillow's ImageEnhance makes them. */
#include <math.h>
#include <string.h>

#include "data/luminance.h"
#include "data/pixels.h"

enum { CHANNELS = 3 };

static size_t count_bytes(const thaw_pixels *pixels)
{
    return pixels->size * pixels->size * CHANNELS;
}

static uint8_t clip(float value)
{
    return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)value;
}

static uint8_t blend(uint8_t without, uint8_t with, float factor)
{
    return clip((float)without + factor * (float)((int)with - (int)without));
}

void thaw_pixels_brighten(thaw_pixels *pixels, float factor)
{
    for (size_t i = 0; i < count_bytes(pixels); i++)
        pixels->bytes[i] = blend(0, pixels->bytes[i], factor);
}

void thaw_pixels_contrast(thaw_pixels *pixels, float factor)
{
    const size_t count = pixels->size * pixels->size;
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += thaw_luminance(pixels->bytes + CHANNELS * i);
    const uint8_t mean = (uint8_t)((double)sum / (double)count + 0.5);
    for (size_t i = 0; i < CHANNELS * count; i++)
        pixels->bytes[i] = blend(mean, pixels->bytes[i], factor);
}

void thaw_pixels_saturate(thaw_pixels *pixels, float factor)
{
    const size_t count = pixels->size * pixels->size;
    for (size_t i = 0; i < count; i++) {
        uint8_t *pixel = pixels->bytes + CHANNELS * i;
        const uint8_t grey = thaw_luminance(pixel);
        for (size_t c = 0; c < CHANNELS; c++)
            pixel[c] = blend(grey, pixel[c], factor);
    }
}

/* ---- sharpness ---- */

/* Pillow's SMOOTH: 5 in the middle, 1 around it, divided by 13, summed from the row below up. */
static uint8_t smooth(const uint8_t *middle, size_t row)
{
    static const float side = 1.0F / 13, own = 5.0F / 13;
    const uint8_t *rows[] = { middle + row, middle, middle - row };
    float sum = 0.5F;
    for (int r = 0; r < 3; r++)
        sum += (float)*(rows[r] - CHANNELS) * side + (float)*rows[r] * (r == 1 ? own : side) +
               (float)*(rows[r] + CHANNELS) * side;
    return clip(sum);
}

void thaw_pixels_sharpen(thaw_pixels *pixels, float factor)
{
    const size_t size = pixels->size, row = size * CHANNELS;
    if (size < 3) /* borders stay as they are */
        return;
    memcpy(pixels->spare, pixels->bytes, count_bytes(pixels));
    for (size_t y = 1; y + 1 < size; y++)
        for (size_t i = y * row + CHANNELS; i < (y + 1) * row - CHANNELS; i++)
            pixels->bytes[i] = blend(smooth(pixels->spare + i, row), pixels->spare[i], factor);
}

/* ---- hue ---- */

typedef struct tint {
    uint8_t hue, saturation, value;
} tint;

static tint tint_of(const uint8_t *pixel)
{
    const uint8_t red = pixel[0], green = pixel[1], blue = pixel[2];
    const uint8_t higher = red > green ? red : green, lower = red < green ? red : green;
    const uint8_t most = higher > blue ? higher : blue, least = lower < blue ? lower : blue;
    if (most == least)
        return (tint){ .value = most };
    const float range = (float)(most - least);
    const float without_red = (float)(most - red) / range, without_green = (float)(most - green) / range;
    const float without_blue = (float)(most - blue) / range;
    float hue;
    if (red == most)
        hue = without_blue - without_green;
    else if (green == most)
        hue = (float)(2.0 + (double)without_red - (double)without_blue);
    else
        hue = (float)(4.0 + (double)without_green - (double)without_red);
    hue = (float)fmod((double)hue / 6.0 + 1.0, 1.0);
    return (tint){ (uint8_t)((double)hue * 255.0), (uint8_t)((double)(range / (float)most) * 255.0), most };
}

static uint8_t shade(uint8_t value, double share)
{
    const double rounded = round((double)(float)value * (1.0 - share));
    return (uint8_t)(rounded < 0 ? 0 : rounded > 255 ? 255 : rounded);
}

static void put_tint(tint from, uint8_t *pixel)
{
    const double place = (double)(float)from.hue * 6.0 / 255.0;
    const int sixth = (int)floor(place);
    const float rest = (float)(place - (double)(float)sixth),
                saturation = (float)((double)(float)from.saturation / 255.0);
    const uint8_t v = from.value, p = shade(v, (double)saturation), q = shade(v, (double)(saturation * rest));
    const uint8_t t = shade(v, (double)saturation * (1.0 - (double)rest));
    const uint8_t all[6][CHANNELS] = { { v, t, p }, { q, v, p }, { p, v, t }, { p, q, v }, { t, p, v }, { v, p, q } };
    memcpy(pixel, all[sixth % 6], CHANNELS);
}

void thaw_pixels_turn_hue(thaw_pixels *pixels, double share)
{
    const size_t count = pixels->size * pixels->size;
    const uint8_t turn = (uint8_t)(int)(share * 255);
    for (size_t i = 0; i < count; i++) {
        uint8_t *pixel = pixels->bytes + CHANNELS * i;
        tint own = tint_of(pixel);
        own.hue = (uint8_t)(own.hue + turn);
        if (own.saturation == 0)
            memset(pixel, own.value, CHANNELS);
        else
            put_tint(own, pixel);
    }
}
