/* ./run bench cache: how fast rows of the feature cache are read in a shuffled order, from memory and from a file in
   the system's page cache, against a loop that only copies the same number of bytes in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <thaw/thaw.h>
#include <unistd.h>

#include "features/feature_storage.h"
#include "support/arguments.h"
#include "support/check.h"
#include "support/measurement.h"
#include "support/timing.h"

enum { MOST_REPETITIONS = 100, TOTAL_BYTES = 1 << 28, STEP = 7919 };

/* The sizes of a head's features, a small image, and a feature map. */
static const size_t row_sizes[] = { 2048, 18432, 200704 };

typedef struct bed {
    thaw_context *context;
    thaw_feature_storage *storage;
    size_t count, row_bytes;
    char *from, *into; /* of the copy; a row */
} bed;

static void *make_bytes(size_t count)
{
    char *bytes = malloc(count);
    if (!bytes) {
        fprintf(stderr, "cache: out of memory\n");
        exit(1);
    }
    memset(bytes, 1, count);
    return bytes;
}

static void write_rows(bed *on)
{
    for (size_t i = 0; i < on->count; i++) {
        const struct iovec piece = { on->from + i * on->row_bytes, on->row_bytes };
        if (!on->storage->kind->write(on->storage, i, &piece, 1)) {
            fprintf(stderr, "cache: a row could not be written\n");
            exit(1);
        }
    }
}

/* Each row once, far from the previous one. */
static double time_rows(bed *on)
{
    const double begin = bench_now();
    for (size_t i = 0, at = 0; i < on->count; i++) {
        const struct iovec piece = { on->into, on->row_bytes };
        if (!on->storage->kind->read(on->storage, at, &piece, 1))
            exit(1);
        at = (at + STEP) % on->count;
    }
    return bench_now() - begin;
}

static double time_copy(bed *on)
{
    const double begin = bench_now();
    for (size_t i = 0; i < on->count; i++) {
        memcpy(on->into, on->from + i * on->row_bytes, on->row_bytes);
        __asm__ volatile("" : : "r"(on->into) : "memory");
    }
    return bench_now() - begin;
}

static void measure(bed *on, const char *where, const bench_arguments *settings)
{
    static double seconds[MOST_REPETITIONS], copies[MOST_REPETITIONS];
    char what[64];
    snprintf(what, sizeof what, "rows of %zu bytes", on->row_bytes);
    time_rows(on);
    for (size_t i = 0; i < settings->repetitions; i++) {
        seconds[i] = time_rows(on);
        copies[i] = time_copy(on);
    }
    bench_measurement found = {
        .benchmark = "cache",
        .title = "Reading the feature cache",
        .setting = where,
        .what = what,
        .threads = 1,
        .limit_seconds = bench_median(copies, settings->repetitions),
        .limit = "a copy of the same number of bytes in order",
    };
    bench_measurement_take(&found, seconds, settings->repetitions);
    const double bytes = (double)(on->count * on->row_bytes);
    if (settings->json) {
        json_t *object = bench_measurement_json(&found);
        json_object_set_new(object, "gigabytes_per_second", json_real(bytes / found.seconds * 1e-9));
        bench_print_json(object);
        return;
    }
    printf("%-8s %10zu %9zu %9.2f %9.2f %9.2f %8.1f %8.0f%%\n", where, on->row_bytes, on->count, found.seconds * 1e3,
           found.low * 1e3, found.high * 1e3, bytes / found.seconds * 1e-9, 100 * found.limit_seconds / found.seconds);
    fflush(stdout);
}

static void open_rows(bed *on, const char *path)
{
    const thaw_digest key = { 0 };
    if (!path) {
        bench_check(on->context, thaw_feature_memory_create(on->context, on->count, on->row_bytes, &on->storage));
        return;
    }
    bool *present = calloc(on->count, sizeof *present);
    if (!present)
        exit(1);
    bench_check(on->context,
                thaw_feature_file_open(on->context, path, &key, on->count, on->row_bytes, present, &on->storage));
    free(present);
}

static void run_case(size_t row_bytes, const char *path, const bench_arguments *settings)
{
    bed on = { .row_bytes = row_bytes, .count = TOTAL_BYTES / row_bytes };
    if (thaw_context_create(&(thaw_context_options){ .threads = 1 }, &on.context) != THAW_OK)
        exit(1);
    on.from = make_bytes(on.count * row_bytes);
    on.into = make_bytes(row_bytes);
    open_rows(&on, path);
    write_rows(&on);
    measure(&on, path ? "file" : "memory", settings);
    on.storage->kind->release(on.storage);
    free(on.from);
    free(on.into);
    thaw_context_destroy(on.context);
}

int main(int count, char **values)
{
    const bench_arguments settings = bench_arguments_read("cache", count, values, 9, MOST_REPETITIONS);
    if (!settings.json)
        printf("1 thread, %d MB of rows, medians of %zu\n%-8s %10s %9s %9s %9s %9s %8s %9s\n", TOTAL_BYTES >> 20,
               settings.repetitions, "where", "row bytes", "rows", "ms", "quartile", "quartile", "GB/s", "of a copy");
    for (size_t i = 0; i < THAW_COUNT(row_sizes); i++) {
        char path[] = "/tmp/thaw-bench-cache-XXXXXX";
        run_case(row_sizes[i], NULL, &settings);
        const int file = mkstemp(path);
        if (file < 0)
            return 1;
        close(file);
        run_case(row_sizes[i], path, &settings);
        unlink(path);
    }
    return 0;
}
