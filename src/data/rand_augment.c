/* RandAugment: Cubuk et al. 2020, arXiv 1909.13719; operations and magnitudes are torchvision's. */
#include <math.h>

#include "core/philox.h"
#include "data/transform.h"

/* In torchvision's order. */
enum operation {
    IDENTITY,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y,
    ROTATE,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    SHARPNESS,
    POSTERIZE,
    SOLARIZE,
    AUTO_CONTRAST,
    EQUALIZE
};
_Static_assert(EQUALIZE + 1 == THAW_OPERATIONS, "all operations");

typedef void operate(thaw_pixels *pixels, double share, double sign);

static void keep(thaw_pixels *pixels, double share, double sign)
{
    (void)pixels, (void)share, (void)sign;
}

/* torchvision's tables are floats. */
static double signed_float(double magnitude, double sign)
{
    return sign * (double)(float)magnitude;
}

static void shear_x(thaw_pixels *pixels, double share, double sign)
{
    thaw_pixels_shear(pixels, signed_float(0.3 * share, sign), 0);
}

static void shear_y(thaw_pixels *pixels, double share, double sign)
{
    thaw_pixels_shear(pixels, 0, signed_float(0.3 * share, sign));
}

static long shift_of(const thaw_pixels *pixels, double share, double sign)
{
    return (long)signed_float(150.0 / 331.0 * (double)pixels->size * share, sign);
}

static void translate_x(thaw_pixels *pixels, double share, double sign)
{
    thaw_pixels_translate(pixels, shift_of(pixels, share, sign), 0);
}

static void translate_y(thaw_pixels *pixels, double share, double sign)
{
    thaw_pixels_translate(pixels, 0, shift_of(pixels, share, sign));
}

static void rotate(thaw_pixels *pixels, double share, double sign)
{
    thaw_pixels_rotate(pixels, sign * 30 * share);
}

static float factor_of(double share, double sign)
{
    return (float)(1.0 + signed_float(0.9 * share, sign));
}

static void brighten(thaw_pixels *pixels, double share, double sign)
{
    thaw_pixels_brighten(pixels, factor_of(share, sign));
}

static void saturate(thaw_pixels *pixels, double share, double sign)
{
    thaw_pixels_saturate(pixels, factor_of(share, sign));
}

static void contrast(thaw_pixels *pixels, double share, double sign)
{
    thaw_pixels_contrast(pixels, factor_of(share, sign));
}

static void sharpen(thaw_pixels *pixels, double share, double sign)
{
    thaw_pixels_sharpen(pixels, factor_of(share, sign));
}

static void posterize(thaw_pixels *pixels, double share, double sign)
{
    (void)sign;
    thaw_pixels_posterize(pixels, 8 - (unsigned)rint(4 * share));
}

static void solarize(thaw_pixels *pixels, double share, double sign)
{
    (void)sign;
    thaw_pixels_solarize(pixels, signed_float(255 * (1 - share), 1));
}

static void stretch(thaw_pixels *pixels, double share, double sign)
{
    (void)share, (void)sign;
    thaw_pixels_stretch(pixels);
}

static void equalize(thaw_pixels *pixels, double share, double sign)
{
    (void)share, (void)sign;
    thaw_pixels_equalize(pixels);
}

void thaw_rand_augment_apply(unsigned operation, unsigned magnitude, bool negative, thaw_pixels *pixels)
{
    static operate *const operations[THAW_OPERATIONS] = {
        [IDENTITY] = keep,           [SHEAR_X] = shear_x,   [SHEAR_Y] = shear_y,     [TRANSLATE_X] = translate_x,
        [TRANSLATE_Y] = translate_y, [ROTATE] = rotate,     [BRIGHTNESS] = brighten, [COLOR] = saturate,
        [CONTRAST] = contrast,       [SHARPNESS] = sharpen, [POSTERIZE] = posterize, [SOLARIZE] = solarize,
        [AUTO_CONTRAST] = stretch,   [EQUALIZE] = equalize,
    };
    operations[operation](pixels, (double)magnitude / (THAW_MAGNITUDES - 1), negative ? -1 : 1);
}

void thaw_rand_augment(size_t count, unsigned magnitude, const uint32_t *words, thaw_pixels *pixels)
{
    for (size_t i = 0; i < count; i++, words += 2)
        thaw_rand_augment_apply((unsigned)((uint64_t)words[0] * THAW_OPERATIONS >> 32), magnitude, words[1] >> 31,
                                pixels);
}
