/* Frames and resizing beside torchvision's (tests/golden/images.py). */
#include "data/frame.h"

#include <string.h>

#include "core/philox.h"
#include "data/resample.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/support.h"

enum { MOST_LINE = 1 << 13 };

/* Passes over lines until one begins with `start`; false at the end. */
static bool find_line(FILE *golden, const char *start, char line[MOST_LINE])
{
    while (fgets(line, MOST_LINE, golden))
        if (strncmp(line, start, strlen(start)) == 0)
            return true;
    return false;
}

Test(frame, in_the_middle_is_where_torchvision_cuts)
{
    FILE *golden = golden_open("images.txt");
    char line[MOST_LINE];
    size_t cases = 0, width, height, resize, size;
    for (; find_line(golden, "case frame", line); cases++) {
        float wanted[4];
        cr_assert_eq(sscanf(line, "case frame %zu %zu %zu %zu", &width, &height, &resize, &size), 4);
        golden_read(golden, "frame", wanted, 4);
        const thaw_frame frame = thaw_frame_center(width, height, resize, size);
        const float found[] = { (float)frame.scaled_width, (float)frame.scaled_height, (float)frame.x, (float)frame.y };
        cr_assert_eq(memcmp(found, wanted, sizeof wanted), 0, "%s: %g x %g at %g, %g", line, (double)found[0],
                     (double)found[1], (double)found[2], (double)found[3]);
        cr_assert(frame.left == 0 && frame.top == 0 && frame.width == width && frame.height == height);
    }
    cr_assert_eq(cases, 10);
    fclose(golden);
}

/* The pixels of rgb.png, decoded. */
static double fully(void *argument, size_t width, size_t height)
{
    (void)argument, (void)width, (void)height;
    return 1;
}

static void decode_picture(thaw_context *context, thaw_image *image)
{
    static uint8_t bytes[1 << 14];
    char path[SUPPORT_PATH_BYTES], message[256];
    const long count = support_read_file(support_golden(path, "../data/images/rgb.png"), bytes, sizeof bytes);
    *image = (thaw_image){ .pixels.context = context };
    cr_assert_eq(thaw_image_decode(image, bytes, (size_t)count, &(thaw_image_request){ .scale = fully }, message,
                                   sizeof message),
                 THAW_OK);
}

Test(frame, of_any_part_is_resized_as_pillow_does)
{
    enum { MOST_BYTES = 9 * 9 * 3 };
    thaw_context *context = support_context(1);
    thaw_image image;
    thaw_resampler resampler = { .across.context = context, .down.context = context, .rows.context = context };
    FILE *golden = golden_open("images.txt");
    char line[MOST_LINE];
    size_t cases = 0;
    decode_picture(context, &image);
    for (; find_line(golden, "case crop", line); cases++) {
        thaw_frame frame = { 0 };
        size_t size;
        int flipped;
        float wanted[MOST_BYTES];
        uint8_t found[MOST_BYTES];
        cr_assert_eq(sscanf(line, "case crop %zu %zu %zu %zu %zu %d", &frame.left, &frame.top, &frame.width,
                            &frame.height, &size, &flipped),
                     6);
        frame.scaled_width = frame.scaled_height = size;
        frame.flipped = flipped;
        golden_read(golden, "bytes", wanted, size * size * 3);
        cr_assert(thaw_resample(&resampler, &image, &frame, size, found));
        for (size_t i = 0; i < size * size * 3; i++)
            cr_assert(found[i] == wanted[i], "%s: byte %zu is %d, wanted %g", line, i, found[i], (double)wanted[i]);
    }
    cr_assert_eq(cases, 6);
    fclose(golden);
    thaw_resampler_trim(&resampler, 0);
    thaw_scratch_trim(&image.pixels, 0);
    thaw_context_destroy(context);
}

static thaw_frame draw(const thaw_context *context, size_t width, size_t height, uint64_t sample)
{
    uint32_t words[THAW_FRAME_WORDS];
    thaw_random_fill(context, &(thaw_stream){ .seed = 1, .purpose = THAW_PURPOSE_AUGMENT }, 64 * sample,
                     THAW_FRAME_WORDS, words);
    return thaw_frame_random(width, height, 24, &(thaw_crop_bounds){ 0.08, 1, 3.0 / 4, 4.0 / 3 }, words);
}

Test(frame, drawn_at_random_keeps_to_its_bounds_and_fills_them)
{
    thaw_context *context = support_context(1);
    enum { DRAWS = 20000, WIDTH = 400, HEIGHT = 300 };
    double least_area = 1, most_area = 0, least_ratio = 9, most_ratio = 0, area_sum = 0;
    size_t left_half = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        const thaw_frame frame = draw(context, WIDTH, HEIGHT, i);
        const double area = (double)(frame.width * frame.height) / (WIDTH * HEIGHT);
        const double ratio = (double)frame.width / (double)frame.height;
        cr_assert(frame.left + frame.width <= WIDTH && frame.top + frame.height <= HEIGHT, "draw %d", (int)i);
        cr_assert(frame.width && frame.height && frame.scaled_width == 24 && frame.scaled_height == 24);
        cr_assert(frame.x == 0 && frame.y == 0);
        least_area = area < least_area ? area : least_area;
        most_area = area > most_area ? area : most_area;
        least_ratio = ratio < least_ratio ? ratio : least_ratio;
        most_ratio = ratio > most_ratio ? ratio : most_ratio;
        area_sum += area;
        left_half += 2 * frame.left < WIDTH - frame.width;
    }
    cr_assert(least_area > 0.078 && least_area < 0.085 && most_area <= 1 && most_area > 0.95, "area %g to %g",
              least_area, most_area);
    cr_assert(least_ratio > 0.73 && least_ratio < 0.77 && most_ratio > 1.3 && most_ratio < 1.37, "ratio %g to %g",
              least_ratio, most_ratio);
    /* Uniform but for the large ones that do not fit: 0.433 by torchvision. */
    cr_assert(area_sum / DRAWS > 0.42 && area_sum / DRAWS < 0.45, "mean area %g", area_sum / DRAWS);
    cr_assert(left_half * 100 > DRAWS * 45 && left_half * 100 < DRAWS * 52, "%zu of %d on the left", left_half, DRAWS);
    thaw_context_destroy(context);
}

Test(frame, of_an_image_that_is_too_narrow_is_the_middle)
{
    thaw_context *context = support_context(1);
    for (uint64_t i = 0; i < 100; i++) {
        const thaw_frame wide = draw(context, 1000, 10, i), high = draw(context, 9, 1000, i),
                         pixel = draw(context, 1, 1, i);
        cr_assert(wide.width <= 14 && wide.height <= 10 && wide.left + wide.width <= 1000);
        cr_assert(high.width <= 9 && high.height <= 12 && high.top + high.height <= 1000);
        cr_assert(pixel.width == 1 && pixel.height == 1 && pixel.left == 0 && pixel.top == 0);
    }
    thaw_context_destroy(context);
}
