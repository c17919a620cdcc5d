/* Affine changes of place: each pixel of the result is the nearest one of the image. Coordinates are in fixed point, as
   in Pillow's Image.transform. */
#include <math.h>
#include <string.h>

#include "data/pixels.h"

enum { CHANNELS = 3, FRACTION_BITS = 16 };

/* The pixel at (x, y) comes from (a[0] x + a[1] y + a[2], a[3] x + a[4] y + a[5]). */
typedef double affine[6];

static int64_t fix(double value)
{
    return (int64_t)floor(value * (1 << FRACTION_BITS) + 0.5);
}

static void transform(thaw_pixels *pixels, const affine a)
{
    const size_t size = pixels->size;
    const int64_t across[] = { fix(a[0]), fix(a[3]) }, down[] = { fix(a[1]), fix(a[4]) };
    int64_t first[] = { fix(a[2] + a[0] * 0.5 + a[1] * 0.5), fix(a[5] + a[3] * 0.5 + a[4] * 0.5) };
    uint8_t *to = pixels->spare;
    memset(to, 0, size * size * CHANNELS);
    for (size_t y = 0; y < size; y++) {
        int64_t from_x = first[0], from_y = first[1];
        for (size_t x = 0; x < size; x++, to += CHANNELS) {
            const int64_t column = from_x >> FRACTION_BITS, row = from_y >> FRACTION_BITS;
            if (column >= 0 && column < (int64_t)size && row >= 0 && row < (int64_t)size)
                memcpy(to, pixels->bytes + ((size_t)row * size + (size_t)column) * CHANNELS, CHANNELS);
            from_x += across[0];
            from_y += across[1];
        }
        first[0] += down[0];
        first[1] += down[1];
    }
    uint8_t *const changed = pixels->spare;
    pixels->spare = pixels->bytes;
    pixels->bytes = changed;
}

/* As Python's round(value, 15). */
static double round_digits(double value)
{
    return rint(value * 1e15) / 1e15;
}

void thaw_pixels_rotate(thaw_pixels *pixels, double degrees)
{
    const double angle = -fmod(fmod(degrees, 360) + 360, 360) * (3.14159265358979323846 / 180);
    const double cosine = round_digits(cos(angle)), sine = round_digits(sin(angle));
    const double middle = (double)pixels->size / 2;
    affine a = { cosine, sine, 0, round_digits(-sin(angle)), cosine, 0 };
    if (degrees == 0)
        return;
    a[2] = a[0] * -middle + a[1] * -middle + middle;
    a[5] = a[3] * -middle + a[4] * -middle + middle;
    transform(pixels, a);
}

void thaw_pixels_shear(thaw_pixels *pixels, double across, double down)
{
    const affine a = { 1, across, 0, down, 1, 0 };
    transform(pixels, a);
}

void thaw_pixels_translate(thaw_pixels *pixels, long right, long down)
{
    const affine a = { 1, 0, (double)-right, 0, 1, (double)-down };
    transform(pixels, a);
}
