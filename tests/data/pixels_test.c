/* Changes of images against what torchvision makes of them with Pillow: tests/golden/pixels.py. */
#include "data/pixels.h"

#include <string.h>

#include "data/transform.h"
#include "support/golden.h"
#include "support/support.h"

enum { MOST_SIDE = 19, MOST_BYTES = MOST_SIDE * MOST_SIDE * 3, LINE = 64 };

typedef struct picture {
    uint8_t original[MOST_BYTES], changed[2][MOST_BYTES];
    size_t size;
} picture;

static thaw_pixels copy_of(picture *from)
{
    memcpy(from->changed[0], from->original, sizeof from->original);
    memset(from->changed[1], 77, sizeof from->changed[1]);
    return (thaw_pixels){ .bytes = from->changed[0], .spare = from->changed[1], .size = from->size };
}

static bool apply(const char *name, double value, thaw_pixels *pixels)
{
    if (strcmp(name, "brightness") == 0)
        thaw_pixels_brighten(pixels, (float)value);
    else if (strcmp(name, "contrast") == 0)
        thaw_pixels_contrast(pixels, (float)value);
    else if (strcmp(name, "saturation") == 0)
        thaw_pixels_saturate(pixels, (float)value);
    else if (strcmp(name, "sharpness") == 0)
        thaw_pixels_sharpen(pixels, (float)value);
    else if (strcmp(name, "hue") == 0)
        thaw_pixels_turn_hue(pixels, value);
    else if (strcmp(name, "posterize") == 0)
        thaw_pixels_posterize(pixels, (unsigned)value);
    else if (strcmp(name, "solarize") == 0)
        thaw_pixels_solarize(pixels, value);
    else if (strcmp(name, "stretch") == 0)
        thaw_pixels_stretch(pixels);
    else if (strcmp(name, "equalize") == 0)
        thaw_pixels_equalize(pixels);
    else if (strcmp(name, "rotate") == 0)
        thaw_pixels_rotate(pixels, value);
    else
        return false;
    return true;
}

static size_t read_bytes(FILE *golden, float values[MOST_BYTES], size_t size)
{
    golden_read(golden, "bytes", values, size * size * 3);
    return size * size * 3;
}

static void check_case(FILE *golden, const char *line, picture *from)
{
    char name[LINE];
    double value;
    unsigned operation, magnitude, negative;
    float wanted[MOST_BYTES];
    thaw_pixels pixels = copy_of(from);
    if (sscanf(line, "case operation %u %u %u", &operation, &magnitude, &negative) == 3) {
        thaw_rand_augment_apply(operation, magnitude, negative, &pixels);
    } else {
        cr_assert_eq(sscanf(line, "case %63s %lf", name, &value), 2, "%s", line);
        cr_assert(apply(name, value, &pixels), "%s", line);
    }
    const size_t count = read_bytes(golden, wanted, from->size);
    for (size_t i = 0; i < count; i++)
        cr_assert_eq((float)pixels.bytes[i], wanted[i], "%s: byte %zu of %zu is %d, wanted %g", line, i, from->size,
                     pixels.bytes[i], (double)wanted[i]);
}

Test(pixels, are_changed_as_torchvision_changes_them)
{
    FILE *golden = golden_open("pixels.txt");
    picture now = { .size = 0 };
    char line[LINE];
    size_t cases = 0;
    for (; fgets(line, sizeof line, golden); cases++) {
        line[strcspn(line, "\n")] = '\0';
        if (sscanf(line, "case picture %zu", &now.size) != 1) {
            check_case(golden, line, &now);
            continue;
        }
        float values[MOST_BYTES];
        cr_assert_leq(now.size, MOST_SIDE);
        const size_t count = read_bytes(golden, values, now.size);
        for (size_t i = 0; i < count; i++)
            now.original[i] = (uint8_t)values[i];
    }
    cr_assert_gt(cases, 150, "only %zu cases", cases);
    fclose(golden);
}
