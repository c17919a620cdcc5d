/* Each kind draws its parameters as torchvision's transform of that name does. */
#include "data/transform.h"

#include <math.h>
#include <string.h>

#include "core/philox.h"

static double between(double least, double most, uint32_t word)
{
    return least + (most - least) * (double)thaw_unit(word);
}

static size_t below(size_t bound, uint32_t word)
{
    return (size_t)((uint64_t)word * bound >> 32);
}

/* ---- color-jitter ---- */

enum { BRIGHTNESS, CONTRAST, SATURATION, HUE, PROPERTIES };

static float draw_factor(double reach, uint32_t word)
{
    return (float)between(fmax(0, 1 - reach), 1 + reach, word);
}

static void change_property(size_t property, double reach, uint32_t word, thaw_pixels *pixels)
{
    if (reach == 0)
        return;
    if (property == BRIGHTNESS)
        thaw_pixels_brighten(pixels, draw_factor(reach, word));
    else if (property == CONTRAST)
        thaw_pixels_contrast(pixels, draw_factor(reach, word));
    else if (property == SATURATION)
        thaw_pixels_saturate(pixels, draw_factor(reach, word));
    else
        thaw_pixels_turn_hue(pixels, between(-reach, reach, word));
}

/* In a random order. */
static void jitter(const double *values, const uint32_t words[THAW_AUGMENT_WORDS], thaw_pixels *pixels)
{
    size_t order[PROPERTIES] = { BRIGHTNESS, CONTRAST, SATURATION, HUE };
    for (size_t i = PROPERTIES; i-- > 1;) {
        const size_t other = below(i + 1, words[PROPERTIES + i]), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
    for (size_t i = 0; i < PROPERTIES; i++)
        change_property(order[i], values[order[i]], words[order[i]], pixels);
}

/* ---- random-erasing ---- */

enum { ERASED_SHARE, LEAST_AREA, MOST_AREA, ATTEMPTS = 10, WORDS_EACH = 4 };

thaw_erased thaw_erased_draw(const double values[3], const uint32_t *words, size_t size)
{
    static const double least_ratio = 0.3, most_ratio = 3.3;
    const double all = (double)size * (double)size;
    thaw_erased part = { 0 };
    if ((double)thaw_unit(words[0]) >= values[ERASED_SHARE])
        return part;
    for (const uint32_t *next = words + 1; next < words + 1 + ATTEMPTS * WORDS_EACH; next += WORDS_EACH) {
        const double area = all * between(values[LEAST_AREA], values[MOST_AREA], next[0]);
        const double ratio = exp(between(log(least_ratio), log(most_ratio), next[1]));
        const double height = rint(sqrt(area * ratio)), width = rint(sqrt(area / ratio));
        if (!(height < (double)size && width < (double)size))
            continue;
        part.height = (size_t)height;
        part.width = (size_t)width;
        part.top = below(size - part.height + 1, next[2]);
        part.left = below(size - part.width + 1, next[3]);
        return part;
    }
    return part;
}

static void erase(const double *values, const uint32_t words[THAW_AUGMENT_WORDS], float *sample, size_t size,
                  size_t channels)
{
    const thaw_erased part = thaw_erased_draw(values, words, size);
    for (size_t y = 0; y < part.height; y++)
        memset(sample + ((part.top + y) * size + part.left) * channels, 0, part.width * channels * sizeof *sample);
}

/* ---- rand-augment, rotation ---- */

static void augment(const double *values, const uint32_t words[THAW_AUGMENT_WORDS], thaw_pixels *pixels)
{
    thaw_rand_augment((size_t)values[0], (unsigned)values[1], words, pixels);
}

static void rotate(const double *values, const uint32_t words[THAW_AUGMENT_WORDS], thaw_pixels *pixels)
{
    thaw_pixels_rotate(pixels, between(-values[0], values[0], words[0]));
}

const thaw_transform_kind thaw_transform_kinds[THAW_TRANSFORMS] = {
    [THAW_TRANSFORM_COLOR_JITTER] = { .name = "color-jitter",
                                      .parameters = { { "brightness", 0, 0, 100, false },
                                                      { "contrast", 0, 0, 100, false },
                                                      { "saturation", 0, 0, 100, false },
                                                      { "hue", 0, 0, 0.5, false } },
                                      .change = jitter },
    [THAW_TRANSFORM_ERASING] = { .name = "random-erasing",
                                 .parameters = { { "p", 0.5, 0, 1, false },
                                                 { "min_scale", 0.02, 0, 1, false },
                                                 { "max_scale", 0.33, 0, 1, false } },
                                 .finish = erase },
    [THAW_TRANSFORM_FLIP] = { .name = "random-horizontal-flip", .parameters = { { "p", 0.5, 0, 1, false } } },
    [THAW_TRANSFORM_RAND_AUGMENT] = { .name = "rand-augment",
                                      .parameters = { { "num_ops", 2, 1, THAW_AUGMENT_WORDS / 2, true },
                                                      { "magnitude", 9, 0, THAW_MAGNITUDES - 1, true } },
                                      .change = augment },
    [THAW_TRANSFORM_CROP] = { .name = "random-resized-crop",
                              .parameters = { { "min_scale", 0.08, 1e-6, 1, false },
                                              { "max_scale", 1, 1e-6, 1, false },
                                              { "min_ratio", 3.0 / 4, 1e-3, 1e3, false },
                                              { "max_ratio", 4.0 / 3, 1e-3, 1e3, false } } },
    [THAW_TRANSFORM_ROTATION] = { .name = "random-rotation",
                                  .parameters = { { "degrees", 15, 0, 180, false } },
                                  .change = rotate },
};
