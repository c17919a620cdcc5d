/* ./run bench images: samples per second from a folder of images, by preprocessing and by threads. Contenders take
   turns, so that other load on the machine affects all of them. The folder is the user's, or made of synthetic
   photographs; either is in the system's cache. */
#include <ftw.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <thaw/thaw.h>
#include <unistd.h>

/* After stdio.h, which it needs. */
#include <jpeglib.h>
#include <png.h>

#include "support/arguments.h"
#include "support/check.h"
#include "support/measurement.h"
#include "support/timing.h"

enum { QUALITY = 90, BATCH = 24, MOST_REPETITIONS = 1000, MOST_THREADS = 1024 };

typedef struct contender {
    const char *name, *part; /* of the synthetic images, by the name of their set */
    thaw_folder_options options;
    thaw_dataset *dataset;
    double seconds[MOST_REPETITIONS]; /* per sample */
} contender;

static void demand(bool truth, const char *what)
{
    if (truth)
        return;
    perror(what);
    exit(1);
}

/* ---------------------------------------------------------------- photographs */

/* A folder of synthetic images: of ImageNet's usual size, and of a camera's. */
typedef struct set {
    const char *name;
    int width, height, count;
    bool png;
} set;

static const set sets[] = { { "small", 500, 375, 64, false },
                            { "large", 2000, 1500, 12, false },
                            { "png", 500, 375, 64, true } };

/* Shades, edges, and noise as of a sensor: about as many bytes as a photograph of that size. */
static void paint(uint8_t *pixels, int width, int height, unsigned seed)
{
    unsigned state = seed * 2654435761U + 1;
    for (int y = 0; y < height; y++) {
        const double high = cos(12.0 * y / height + seed);
        for (int x = 0; x < width; x++) {
            const double wave = high * sin(10.0 * x / width * (1 + seed % 5));
            const double edge = (x / 40 + y / 30 + (int)seed) % 3 == 0 ? 30 : 0;
            for (int c = 0; c < 3; c++) {
                state = state * 1664525U + 1013904223U;
                const double noise = (double)(state >> 8) / (1 << 24) - 0.5;
                *pixels++ = (uint8_t)(110 + (70 - 20 * c) * wave + edge + 24 * noise);
            }
        }
    }
}

static void write_jpeg(const char *path, const set *like, uint8_t *pixels)
{
    FILE *file = fopen(path, "wb");
    demand(file != NULL, path);
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)like->width;
    jpeg.image_height = (JDIMENSION)like->height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, QUALITY, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        JSAMPROW row = pixels + (size_t)jpeg.next_scanline * jpeg.image_width * 3;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    demand(fclose(file) == 0, path);
}

static void write_png(const char *path, const set *like, const uint8_t *pixels)
{
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = (png_uint_32)like->width,
                        .height = (png_uint_32)like->height,
                        .format = PNG_FORMAT_RGB };
    demand(png_image_write_to_file(&image, path, 0, pixels, 0, NULL), path);
}

static void make_set(const char *root, const set *like)
{
    char path[512];
    uint8_t *pixels = malloc((size_t)like->width * (size_t)like->height * 3);
    demand(pixels != NULL, "memory");
    snprintf(path, sizeof path, "%s/%s", root, like->name);
    demand(mkdir(path, 0700) == 0, path);
    snprintf(path, sizeof path, "%s/%s/one", root, like->name);
    demand(mkdir(path, 0700) == 0, path);
    for (int i = 0; i < like->count; i++) {
        paint(pixels, like->width, like->height, (unsigned)i);
        snprintf(path, sizeof path, "%s/%s/one/%d", root, like->name, i);
        if (like->png)
            write_png(path, like, pixels);
        else
            write_jpeg(path, like, pixels);
    }
    free(pixels);
}

static int remove_entry(const char *path, const struct stat *about, int kind, struct FTW *place)
{
    (void)about, (void)kind, (void)place;
    return remove(path);
}

/* ---------------------------------------------------------------- measuring */

static contender contenders[] = {
    { .name = "centre", .part = "small" },
    { .name = "decoded fully", .part = "small", .options = { .decode_fully = true } },
    { .name = "crop-flip", .part = "small", .options = { .augment = THAW_AUGMENT_CROP_FLIP } },
    { .name = "rand-augment", .part = "small", .options = { .transforms = "random-resized-crop+rand-augment" } },
    { .name = "centre", .part = "large" },
    { .name = "decoded fully", .part = "large", .options = { .decode_fully = true } },
    { .name = "crop-flip", .part = "large", .options = { .augment = THAW_AUGMENT_CROP_FLIP } },
    { .name = "centre", .part = "png" },
};

static void open_contender(thaw_context *context, contender *one, const char *root, const char *own, int threads)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, one->part);
    one->options.threads = threads;
    one->options.validation = -1;
    bench_check(context, thaw_dataset_open_folder(context, own ? own : path, &one->options, &one->dataset, NULL));
}

static double measure(thaw_context *context, thaw_dataset *dataset, float *samples)
{
    static size_t next;
    const size_t count = thaw_dataset_count(dataset), batch = count < BATCH ? count : BATCH;
    size_t indices[BATCH];
    int32_t labels[BATCH];
    for (size_t i = 0; i < batch; i++)
        indices[i] = next++ % count;
    const double begin = bench_now();
    bench_check(context, thaw_dataset_read(dataset, indices, batch, samples, labels));
    return (bench_now() - begin) / (double)batch;
}

static void print_json(contender *one, const char *kind, int threads, size_t repetitions)
{
    bench_measurement found = {
        .benchmark = "images",
        .title = "Images decoded and resized, time of one",
        .setting = kind,
        .what = one->name,
        .threads = threads,
    };
    bench_measurement_take(&found, one->seconds, repetitions);
    json_t *object = bench_measurement_json(&found);
    json_object_set_new(object, "samples_per_second", json_real(1 / found.seconds));
    bench_print_json(object);
}

static void print_row(contender *one, const char *kind, int threads, size_t repetitions, bool json)
{
    if (json) {
        print_json(one, kind, threads, repetitions);
        return;
    }
    const double seconds = bench_median(one->seconds, repetitions), spread = bench_spread(one->seconds, repetitions);
    printf("%-6s %-26s %8d %12.1f %12.1f %7.1f%%\n", kind, one->name, threads, 1 / seconds, 1 / seconds / threads,
           spread * 100);
    fflush(stdout);
}

static void run(const char *root, const char *own, int threads, size_t repetitions, bool json)
{
    const size_t count = own ? 3 : THAW_COUNT(contenders);
    thaw_context *context = NULL;
    bench_check(context, thaw_context_create(&(thaw_context_options){ .threads = threads }, &context));
    float *samples = malloc((size_t)BATCH * 224 * 224 * 3 * sizeof *samples);
    demand(samples != NULL, "memory");
    for (size_t i = 0; i < count; i++) {
        open_contender(context, &contenders[i], root, own, threads);
        measure(context, contenders[i].dataset, samples);
    }
    for (size_t r = 0; r < repetitions; r++)
        for (size_t i = 0; i < count; i++)
            contenders[i].seconds[r] = measure(context, contenders[i].dataset, samples);
    for (size_t i = 0; i < count; i++) {
        print_row(&contenders[i], own ? "yours" : contenders[i].part, threads, repetitions, json);
        thaw_dataset_destroy(contenders[i].dataset);
    }
    free(samples);
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- the command line */

int main(int count, char **values)
{
    static const struct option options[] = {
        { "help", no_argument, NULL, 'h' },          { "folder", required_argument, NULL, 'f' },
        { "json", no_argument, NULL, 'j' },          { "repetitions", required_argument, NULL, 'r' },
        { "threads", required_argument, NULL, 't' }, { NULL, 0, NULL, 0 },
    };
    bool json = false;
    const char *own = NULL;
    int repetitions = 11, threads = (int)sysconf(_SC_NPROCESSORS_ONLN);
    for (int option; (option = getopt_long(count, values, "", options, NULL)) != -1;) {
        if (option == 'f') {
            own = optarg;
        } else if (option == 'j') {
            json = true;
        } else if (option == 'r') {
            repetitions = bench_positive("images", optarg, MOST_REPETITIONS);
        } else if (option == 't') {
            threads = bench_positive("images", optarg, MOST_THREADS);
        } else {
            fprintf(option == 'h' ? stdout : stderr,
                    "usage: images [--folder PATH] [--json] [--repetitions N] [--threads N]\n");
            return option == 'h' ? 0 : 2;
        }
    }
    char root[] = "/tmp/thaw-images-XXXXXX";
    if (!own) {
        demand(mkdtemp(root) != NULL, root);
        for (size_t i = 0; i < THAW_COUNT(sets); i++)
            make_set(root, &sets[i]);
    }
    if (!json) {
        if (!own)
            printf("small: JPEG of 500 x 375; large: JPEG of 2000 x 1500; png: 500 x 375; quality %d; ", QUALITY);
        printf("to 224 x 224, batches of %d, %d repetitions\n", BATCH, repetitions);
        printf("%-6s %-26s %8s %12s %12s %8s\n", "images", "made", "threads", "samples/s", "a thread", "spread");
    }
    run(root, own, 1, (size_t)repetitions, json);
    if (threads > 1)
        run(root, own, threads, (size_t)repetitions, json);
    if (!own)
        nftw(root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
