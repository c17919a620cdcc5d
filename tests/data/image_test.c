/* Images of every kind beside torchvision's evaluation transform (tests/golden/images.py), and broken ones. */
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "data/image_reader.h"
#include "support/allocator.h"
#include "support/files.h"
#include "support/golden.h"
#include "support/support.h"

enum { SIZE = 8, RESIZE = 10, VALUES = SIZE * SIZE * 3, MOST_FILE = 1 << 16 };

static const float mean[] = { 0.485F, 0.456F, 0.406F }, deviation[] = { 0.229F, 0.224F, 0.225F };

static int images = -1; /* the directory */
static thaw_sample_form form;
static thaw_image_reader reader;
static char message[256];

static void begin(thaw_context *context)
{
    char path[SUPPORT_PATH_BYTES];
    images = open(support_golden(path, "../data/images"), O_RDONLY | O_DIRECTORY);
    cr_assert_geq(images, 0, "%s does not open", path);
    form = (thaw_sample_form){ .size = SIZE, .resize = RESIZE, .channels = 3, .decode_fully = true };
    thaw_sample_form_set_levels(&form, mean, deviation);
    thaw_image_reader_begin(&reader, context, &form);
}

static void end(void)
{
    thaw_image_reader_end(&reader);
    close(images);
}

static thaw_status read_image(const char *name, float *sample)
{
    message[0] = '\0';
    return thaw_image_reader_read(&reader, images, name, NULL, sample, message, sizeof message);
}

static double largest_difference(const float *found, const float *wanted, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)found[i] - (double)wanted[i]));
    return largest;
}

/* One level of 255 in a normalised channel, at most. */
static const double LEVEL = 1 / (255 * 0.224) + 1e-6;

static const struct {
    const char *name;
    double tolerance; /* of a full decoding; 0: the same bits */
} cases[] = {
    { "alpha.png", 0 },      { "bits.png", 0 },
    { "cmyk.jpg", LEVEL },   { "grey.jpg", LEVEL },
    { "grey.png", 0 },       { "grey16.png", 0 },
    { "grey_alpha.png", 0 }, { "high.png", 0 },
    { "interlaced.png", 0 }, { "large.jpg", LEVEL },
    { "palette.png", 0 },    { "palette_alpha.png", 0 },
    { "pixel.png", 0 },      { "progressive.jpg", LEVEL },
    { "rgb.jpg", LEVEL },    { "rgb.png", 0 },
    { "rgb16.png", 0 },      { "rotated.jpg", LEVEL },
    { "wide.png", 0 },       { "ycck.jpg", LEVEL },
};

Test(image, becomes_what_torchvision_makes_of_it)
{
    thaw_context *context = support_context(1);
    FILE *golden = golden_open("images.txt");
    begin(context);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        float wanted[VALUES], found[VALUES];
        golden_case(golden, cases[i].name);
        golden_read(golden, "sample", wanted, VALUES);
        cr_assert_eq(read_image(cases[i].name, found), THAW_OK, "%s %s", cases[i].name, message);
        const double difference = largest_difference(found, wanted, VALUES);
        cr_assert_leq(difference, cases[i].tolerance, "%s differs by %g", cases[i].name, difference);
    }
    end();
    fclose(golden);
    thaw_context_destroy(context);
}

/* Decoding no larger than what is needed moves edges by a fraction of a pixel. */
Test(image, decoded_smaller_is_nearly_the_same)
{
    thaw_context *context = support_context(1);
    begin(context);
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        float fully[VALUES], smaller[VALUES];
        form.decode_fully = true;
        cr_assert_eq(read_image(cases[i].name, fully), THAW_OK);
        form.decode_fully = false;
        cr_assert_eq(read_image(cases[i].name, smaller), THAW_OK);
        double sum = 0;
        for (size_t v = 0; v < VALUES; v++)
            sum += fabs((double)fully[v] - (double)smaller[v]);
        const double largest = largest_difference(fully, smaller, VALUES);
        const bool jpeg = strstr(cases[i].name, ".jpg") != NULL;
        cr_assert(jpeg || largest == 0, "%s is decoded fully anyway", cases[i].name);
        cr_assert_leq(sum / VALUES, 4 * LEVEL, "%s differs by %g on average", cases[i].name, sum / VALUES);
        cr_assert(strcmp(cases[i].name, "large.jpg") != 0 || largest > 0, "the large one is not decoded smaller");
    }
    end();
    thaw_context_destroy(context);
}

Test(image, becomes_luminance)
{
    thaw_context *context = support_context(1);
    FILE *golden = golden_open("images.txt");
    char line[1 << 13] = "";
    while (strcmp(line, "case luminance\n") != 0)
        cr_assert(fgets(line, sizeof line, golden));
    float wanted[SIZE * SIZE], found[SIZE * SIZE];
    golden_read(golden, "sample", wanted, SIZE * SIZE);
    begin(context);
    form.channels = 1;
    form.resize = SIZE;
    thaw_sample_form_set_levels(&form, (const float[]){ 0 }, (const float[]){ 1 });
    cr_assert_eq(read_image("grey.png", found), THAW_OK, "%s", message);
    cr_assert_eq(memcmp(found, wanted, sizeof wanted), 0, "differs by %g",
                 largest_difference(found, wanted, SIZE * SIZE));
    end();
    fclose(golden);
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- broken images */

/* A file and what is done to it: cut to a share, and some bytes put into its middle. */
typedef struct damage {
    const char *from;
    double kept;
    size_t at;
    const char *bytes;
    size_t byte_count;
    thaw_status status;
    const char *reason;
} damage;

#define PUT(text) (text), sizeof(text) - 1

static const damage damages[] = {
    { "rgb.jpg", 0.7, 0, PUT(""), THAW_BAD_FORMAT, "is cut short" },
    { "rgb.jpg", 0.3, 0, PUT(""), THAW_BAD_FORMAT, "is cut short" },
    { "progressive.jpg", 0.7, 0, PUT(""), THAW_BAD_FORMAT, "is cut short" },
    { "cmyk.jpg", 0.7, 0, PUT(""), THAW_BAD_FORMAT, "is cut short" },
    { "rgb.png", 0.7, 0, PUT(""), THAW_BAD_FORMAT, "is cut short" },
    { "interlaced.png", 0.9, 0, PUT(""), THAW_BAD_FORMAT, "is cut short" },
    { "rgb.png", 0.005, 0, PUT(""), THAW_BAD_FORMAT, "is cut short" },
    { "rgb.png", 0, 0, PUT(""), THAW_BAD_FORMAT, "is neither JPEG nor PNG" },
    { "rgb.png", 1, 0, PUT("Dear reader,"), THAW_BAD_FORMAT, "is neither JPEG nor PNG" },
    { "rgb.png", 1, 0, PUT("GIF89a"), THAW_BAD_FORMAT, "is a GIF image, must be JPEG or PNG" },
    { "rgb.png", 1, 0, PUT("RIFF\0\0\0\0WEBP"), THAW_BAD_FORMAT, "is a WebP image" },
    { "rgb.png", 1, 0, PUT("MM\0*"), THAW_BAD_FORMAT, "is a TIFF image" },
    { "rgb.png", 1, 100, PUT("flipped"), THAW_BAD_FORMAT, "is broken: " },
    { "rgb.png", 1, 16, PUT("\0\0\0\1"), THAW_BAD_FORMAT, "is broken: IHDR: CRC error" },
    { "rgb.jpg", 1, 20, PUT("\xFF\xFF\xFF\xFF\xFF\xFF"), THAW_BAD_FORMAT, "is broken: " },
    /* What closes a file is not missed. */
    { "rgb.jpg", 0.998, 0, PUT(""), THAW_OK, "" },
    { "rgb.png", 0.996, 0, PUT(""), THAW_OK, "" },
};

/* Reads bytes as an image, by way of a file in memory. */
static thaw_status read_bytes(const uint8_t *bytes, size_t count, float *sample)
{
    char path[SUPPORT_PATH_BYTES];
    const int file = support_memory_file(path, bytes, count);
    const thaw_status status = read_image(path, sample);
    close(file);
    return status;
}

static size_t load(const char *name, uint8_t bytes[MOST_FILE])
{
    char path[SUPPORT_PATH_BYTES], whole[SUPPORT_PATH_BYTES + 64];
    snprintf(whole, sizeof whole, "../data/images/%s", name);
    const long count = support_read_file(support_golden(path, whole), bytes, MOST_FILE);
    cr_assert(count > 0 && count <= MOST_FILE, "%s", path);
    return (size_t)count;
}

Test(image, that_is_broken_is_told_from_one_that_is_not)
{
    static uint8_t bytes[MOST_FILE];
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    begin(context);
    for (size_t i = 0; i < THAW_COUNT(damages); i++) {
        const damage *done = &damages[i];
        float sample[VALUES];
        const size_t count = load(done->from, bytes);
        memcpy(bytes + done->at, done->bytes, done->byte_count);
        const thaw_status status = read_bytes(bytes, (size_t)((double)count * done->kept), sample);
        cr_assert_eq(status, done->status, "case %zu, %s: %s", i, done->from, message);
        cr_assert_eq(strncmp(message, done->reason, strlen(done->reason)), 0, "case %zu: \"%s\", wanted \"%s\"", i,
                     message, done->reason);
        end();
        cr_assert_eq(allocator.live, 1, "case %zu leaks", i);
        begin(context);
    }
    end();
    thaw_context_destroy(context);
}

/* A header that promises so many pixels, which nothing is allocated for. */
static void check_bomb(thaw_context *context, const char *from, size_t at, const char *size, size_t size_bytes,
                       const char *reason)
{
    static uint8_t bytes[MOST_FILE];
    float sample[VALUES];
    const size_t count = load(from, bytes);
    begin(context);
    memcpy(bytes + at, size, size_bytes);
    if (bytes[0] == 0x89) {
        const uint32_t sum = (uint32_t)crc32(0, bytes + 12, 17);
        for (size_t i = 0; i < 4; i++)
            bytes[29 + i] = (uint8_t)(sum >> (24 - 8 * i));
    }
    cr_assert_eq(read_bytes(bytes, count, sample), THAW_BAD_FORMAT);
    cr_assert_not_null(strstr(message, reason), "\"%s\", wanted \"%s\"", message, reason);
    end();
}

/* Where a JPEG file has its height and width: after the marker of a frame, its length and its precision. */
static size_t find_frame(const char *from)
{
    static uint8_t bytes[MOST_FILE];
    const size_t count = load(from, bytes);
    for (size_t i = 2; i + 9 < count; i += 2 + (size_t)(bytes[i + 2] << 8 | bytes[i + 3]))
        if (bytes[i + 1] == 0xC0 || bytes[i + 1] == 0xC2)
            return i + 5;
    cr_assert_fail("%s has no frame", from);
    return 0;
}

Test(image, that_promises_too_many_pixels_is_refused)
{
    support_allocator allocator = { .largest = 1 << 20 };
    thaw_context *context = support_context_on(&allocator);
    check_bomb(context, "rgb.png", 16, PUT("\0\0\xEA\x60\0\0\xEA\x60"),
               "has 60000 x 60000 pixels by its header, must have at most 89478485");
    check_bomb(context, "rgb.png", 16, PUT("\0\1\0\0\0\0\0\1"), "has 65536 x 1 pixels");
    check_bomb(context, "rgb.jpg", find_frame("rgb.jpg"), PUT("\xEA\x60\xEA\x60"), "has 60000 x 60000 pixels");
    check_bomb(context, "progressive.jpg", find_frame("progressive.jpg"), PUT("\xEA\x60\xEA\x60"),
               "has 60000 x 60000 pixels");
    thaw_context_destroy(context);
}

Test(image, survives_every_failing_allocation)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    static const char *const names[] = { "rgb.png", "interlaced.png", "palette.png", "rgb.jpg", "cmyk.jpg" };
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        float sample[VALUES];
        size_t sites = 0;
        for (;; sites++) {
            begin(context);
            allocator.fail_at = allocator.calls + sites + 1;
            const thaw_status status = read_image(names[i], sample);
            end();
            cr_assert_eq(allocator.live, 1, "%s, site %zu leaks", names[i], sites);
            if (status == THAW_OK)
                break;
            cr_assert_eq(status, THAW_OUT_OF_MEMORY, "%s, site %zu: %s", names[i], sites, message);
            cr_assert_neq(message[0], '\0');
        }
        cr_assert_geq(sites, 6, "%s: %zu sites", names[i], sites);
    }
    cr_assert_str_empty(thaw_context_message(context), "threads leave the context's message alone");
    thaw_context_destroy(context);
}

Test(image, that_is_no_file_is_told)
{
    thaw_context *context = support_context(1);
    float sample[VALUES];
    begin(context);
    cr_assert_eq(read_image("missing.png", sample), THAW_IO_ERROR);
    cr_assert_str_eq(message, "cannot be read: No such file or directory");
    cr_assert_eq(read_image(".", sample), THAW_BAD_FORMAT);
    cr_assert_str_eq(message, "is not a regular file");
    cr_assert_eq(read_image("/dev/zero", sample), THAW_BAD_FORMAT);
    end();
    thaw_context_destroy(context);
}
