/* What random changes draw: their shares and ranges are those of torchvision's transforms, whatever was drawn before. */
#include "data/augment.h"

#include <math.h>
#include <string.h>

#include "data/transform.h"
#include "support/support.h"

enum { DRAWS = 4000, SIDE = 20, BYTES = SIDE * SIDE * 3 };

static thaw_augment parsed(thaw_context *context, const char *text)
{
    thaw_augment augment;
    assert_ok(context, thaw_augment_parse(context, text, &augment));
    return augment;
}

static thaw_augment_draw draw_of(const thaw_context *context, const thaw_augment *augment, uint64_t sample)
{
    return (thaw_augment_draw){ .context = context, .augment = augment, .seed = 3, .view = 2, .sample = sample };
}

/* A picture of one value. */
static uint8_t changed_value(const thaw_augment_draw *draw, uint8_t value)
{
    static uint8_t bytes[2][BYTES];
    memset(bytes[0], value, BYTES);
    thaw_pixels pixels = { .bytes = bytes[0], .spare = bytes[1], .size = SIDE };
    thaw_augment_pixels(draw, &pixels);
    return pixels.bytes[BYTES / 2];
}

Test(augment, flips_the_given_share)
{
    thaw_context *context = support_context(1);
    static const double shares[] = { 0, 0.25, 0.5, 1 };
    static const char *const texts[] = { "random-horizontal-flip:p=0", "random-horizontal-flip:p=0.25",
                                         "random-horizontal-flip", "random-resized-crop+random-horizontal-flip:p=1" };
    for (size_t i = 0; i < THAW_COUNT(texts); i++) {
        const thaw_augment augment = parsed(context, texts[i]);
        size_t flipped = 0;
        for (uint64_t sample = 0; sample < DRAWS; sample++) {
            const thaw_augment_draw draw = draw_of(context, &augment, sample);
            thaw_frame frame = thaw_frame_center(60, 40, 24, 20);
            thaw_augment_frame(&draw, 60, 40, 20, &frame);
            flipped += frame.flipped;
        }
        cr_assert_float_eq((double)flipped / DRAWS, shares[i], shares[i] == 0 || shares[i] == 1 ? 0 : 0.03, "%s: %zu",
                           texts[i], flipped);
    }
    thaw_context_destroy(context);
}

/* Without a crop, the middle of the image is mirrored. */
Test(augment, mirrors_what_evaluation_cuts)
{
    thaw_context *context = support_context(1);
    const thaw_augment augment = parsed(context, "random-horizontal-flip:p=1");
    const thaw_augment_draw draw = draw_of(context, &augment, 0);
    const thaw_frame centre = thaw_frame_center(60, 40, 24, 20);
    thaw_frame frame = centre;
    thaw_augment_frame(&draw, 60, 40, 20, &frame);
    cr_assert(frame.flipped && frame.x == centre.x && frame.y == centre.y && frame.width == centre.width);
    thaw_context_destroy(context);
}

/* Brightness 0.4 multiplies by a number that is uniform from 0.6 to 1.4. */
Test(augment, jitters_within_its_range)
{
    thaw_context *context = support_context(1);
    const thaw_augment augment = parsed(context, "color-jitter:brightness=0.4");
    int least = 255, most = 0;
    double sum = 0, squares = 0;
    for (uint64_t sample = 0; sample < DRAWS; sample++) {
        const thaw_augment_draw draw = draw_of(context, &augment, sample);
        const int value = changed_value(&draw, 100);
        least = value < least ? value : least;
        most = value > most ? value : most;
        sum += value;
        squares += value * value;
    }
    const double mean = sum / DRAWS, deviation = sqrt(squares / DRAWS - mean * mean);
    cr_assert(least >= 59 && least <= 60 && most >= 139 && most <= 140, "from %d to %d", least, most);
    cr_assert_float_eq(mean, 99.5, 1, "mean %g", mean);
    cr_assert_float_eq(deviation, 80 / sqrt(12), 0.5, "deviation %g", deviation);
    thaw_context_destroy(context);
}

/* The order of brightness and contrast shows in a picture of two values: all orders come up. */
Test(augment, jitters_in_a_random_order)
{
    thaw_context *context = support_context(1);
    const thaw_augment augment = parsed(context, "color-jitter:brightness=0.9,contrast=0.9,saturation=0.9,hue=0.5");
    static uint8_t bytes[2][BYTES];
    size_t differ = 0;
    uint8_t first[3];
    for (uint64_t sample = 0; sample < 50; sample++) {
        const thaw_augment_draw draw = draw_of(context, &augment, sample);
        for (size_t i = 0; i < BYTES; i++)
            bytes[0][i] = (uint8_t)(40 + i % 3 * 80);
        thaw_pixels pixels = { .bytes = bytes[0], .spare = bytes[1], .size = SIDE };
        thaw_augment_pixels(&draw, &pixels);
        if (sample == 0)
            memcpy(first, pixels.bytes, sizeof first);
        differ += memcmp(first, pixels.bytes, sizeof first) != 0;
    }
    cr_assert_geq(differ, 48, "%zu of 49 samples differ from the first", differ);
    thaw_context_destroy(context);
}

/* The mean and the bounds of what is erased, by torchvision's loop in numpy: 0.175 of the area, less what does not fit. */
Test(augment, erases_rectangles)
{
    thaw_context *context = support_context(1);
    const thaw_augment augment = parsed(context, "random-erasing:p=0.5");
    static float sample_values[100 * 100];
    double area = 0;
    size_t erased = 0;
    for (uint64_t sample = 0; sample < DRAWS; sample++) {
        const thaw_augment_draw draw = draw_of(context, &augment, sample);
        size_t zeros = 0, left = 100, right = 0, top = 100, bottom = 0;
        for (size_t i = 0; i < THAW_COUNT(sample_values); i++)
            sample_values[i] = 1;
        thaw_augment_sample(&draw, sample_values, 100, 1);
        for (size_t i = 0; i < THAW_COUNT(sample_values); i++) {
            if (sample_values[i] != 0)
                continue;
            zeros++;
            left = i % 100 < left ? i % 100 : left;
            right = i % 100 > right ? i % 100 : right;
            top = i / 100 < top ? i / 100 : top;
            bottom = i / 100 > bottom ? i / 100 : bottom;
        }
        if (!zeros)
            continue;
        const double height = (double)(bottom - top + 1), width = (double)(right - left + 1);
        erased++;
        area += (double)zeros / THAW_COUNT(sample_values);
        cr_assert_eq((double)zeros, height * width, "a rectangle");
        cr_assert(zeros > 180 && zeros < 3400 && height / width > 0.27 && height / width < 3.7, "%g x %g", width,
                  height);
    }
    cr_assert_float_eq((double)erased / DRAWS, 0.5, 0.03, "%zu erased", erased);
    cr_assert_float_eq(area / (double)erased, 0.175, 0.008, "area %g", area / (double)erased);
    thaw_context_destroy(context);
}

/* Each of 14 operations as often as another, half of them with a minus. */
Test(augment, chooses_operations_alike)
{
    thaw_context *context = support_context(1);
    const thaw_augment augment = parsed(context, "rand-augment:num_ops=1,magnitude=30");
    static uint8_t bytes[2][BYTES], wanted[2 * THAW_OPERATIONS][BYTES], original[BYTES];
    size_t counts[2 * THAW_OPERATIONS] = { 0 };
    for (size_t i = 0; i < BYTES; i++)
        original[i] = (uint8_t)(30 + (i * i / 7 + i % 3 * 50) % 180);
    for (unsigned i = 0; i < 2 * THAW_OPERATIONS; i++) {
        memcpy(bytes[0], original, BYTES);
        thaw_pixels pixels = { .bytes = bytes[0], .spare = bytes[1], .size = SIDE };
        thaw_rand_augment_apply(i / 2, 30, i % 2, &pixels);
        memcpy(wanted[i], pixels.bytes, BYTES);
    }
    for (uint64_t sample = 0; sample < DRAWS; sample++) {
        const thaw_augment_draw draw = draw_of(context, &augment, sample);
        memcpy(bytes[0], original, BYTES);
        thaw_pixels pixels = { .bytes = bytes[0], .spare = bytes[1], .size = SIDE };
        thaw_augment_pixels(&draw, &pixels);
        size_t found = 0;
        while (found < 2 * THAW_OPERATIONS && memcmp(pixels.bytes, wanted[found], BYTES) != 0)
            found++;
        cr_assert_lt(found, 2 * THAW_OPERATIONS, "sample %d is the result of no operation", (int)sample);
        counts[found]++;
    }
    for (unsigned i = 0; i < 2 * THAW_OPERATIONS; i++) {
        const bool is_signed = memcmp(wanted[i / 2 * 2], wanted[i / 2 * 2 + 1], BYTES) != 0;
        const double share = (double)counts[i] / DRAWS * THAW_OPERATIONS;
        if (is_signed || i % 2 == 0)
            cr_assert_float_eq(share, is_signed ? 0.5 : 1, 0.2, "operation %u: %g", i / 2, share);
    }
    thaw_context_destroy(context);
}

/* Seed, view and sample, each by itself. */
Test(augment, is_drawn_by_seed_view_and_sample)
{
    thaw_context *context = support_context(1);
    const thaw_augment augment = parsed(context, "color-jitter:brightness=1");
    const thaw_augment_draw one = draw_of(context, &augment, 7);
    thaw_augment_draw other = one;
    cr_assert_eq(changed_value(&one, 200), changed_value(&other, 200));
    other.seed++;
    cr_assert_neq(changed_value(&one, 100), changed_value(&other, 100));
    other = one;
    other.view++;
    cr_assert_neq(changed_value(&one, 100), changed_value(&other, 100));
    other = one;
    other.sample++;
    cr_assert_neq(changed_value(&one, 100), changed_value(&other, 100));
    thaw_context_destroy(context);
}

Test(augment, rotates_to_both_sides)
{
    thaw_context *context = support_context(1);
    const thaw_augment augment = parsed(context, "random-rotation:degrees=40");
    enum { ODD = SIDE - 1 };
    static uint8_t bytes[2][BYTES];
    size_t up = 0, whole = 0;
    for (uint64_t sample = 0; sample < DRAWS; sample++) {
        const thaw_augment_draw draw = draw_of(context, &augment, sample);
        memset(bytes[0], 0, BYTES);
        for (size_t x = 0; x < 3 * ODD; x++) /* a line across the middle */
            bytes[0][ODD / 2 * 3 * ODD + x] = 255;
        thaw_pixels pixels = { .bytes = bytes[0], .spare = bytes[1], .size = ODD };
        thaw_augment_pixels(&draw, &pixels);
        size_t row = 0;
        while (row < ODD && !pixels.bytes[row * 3 * ODD + 3 * (ODD - 4)])
            row++;
        up += row < ODD / 2;
        whole += row == ODD / 2;
    }
    cr_assert_float_eq((double)up / (double)(DRAWS - whole), 0.5, 0.03, "%zu up, %zu not at all", up, whole);
    thaw_context_destroy(context);
}
