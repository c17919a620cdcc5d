/* Samples are the same bits whatever the threads that decode them; augmented ones differ by epoch and by sample; memory
   does not grow with what is read. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/folder_fixture.h"
#include "data/loader.h"
#include "support/max_cpu.h"
#include "support/support.h"

TestSuite(decoding, .init = folder_set_up, .fini = folder_tear_down);

enum { SIZE = 16, VALUES = SIZE * SIZE * 3, IMAGES = 9, REPEAT = 3, SAMPLES = IMAGES * REPEAT };

static void put_images(void)
{
    static const char *const names[IMAGES] = { "rgb.png",  "rgb.jpg",   "large.jpg", "progressive.jpg", "cmyk.jpg",
                                               "grey.png", "rgb16.png", "alpha.png", "palette.png" };
    for (size_t i = 0; i < IMAGES; i++) {
        char name[64];
        snprintf(name, sizeof name, "%c/%zu", i < 5 ? 'a' : 'b', i);
        folder_put_copy(name, names[i], 1);
    }
}

static thaw_dataset *open_images(thaw_context *context, int threads, const char *options)
{
    char description[SUPPORT_PATH_BYTES + 128];
    thaw_dataset *training;
    snprintf(description, sizeof description, "folder:%s;val=0;size=16;repeat=3;threads=%d;%s", folder_path, threads,
             options);
    assert_ok(context, thaw_dataset_open(context, description, &training, NULL));
    cr_assert_eq(thaw_dataset_count(training), SAMPLES);
    return training;
}

/* All samples of an epoch, by index; the caller frees them. */
static float *read_epoch(thaw_context *context, thaw_dataset *dataset, uint64_t epoch)
{
    float *samples = malloc(SAMPLES * VALUES * sizeof *samples);
    thaw_loader *loader;
    const thaw_loader_options options = { .batch = 4, .shuffle = true, .seed = 3 };
    assert_ok(context, thaw_loader_create(context, dataset, &options, &loader));
    thaw_loader_start_epoch(loader, epoch);
    for (size_t step = 0; step < thaw_loader_steps(loader); step++) {
        thaw_batch batch;
        assert_ok(context, thaw_loader_next(loader, &batch));
        for (size_t i = 0; i < batch.count; i++)
            memcpy(samples + batch.indices[i] * VALUES, batch.samples + i * VALUES, VALUES * sizeof *samples);
    }
    thaw_loader_destroy(loader);
    return samples;
}

static float *read_with(int threads, const char *options, uint64_t epoch)
{
    thaw_context *context = folder_context(2);
    thaw_dataset *dataset = open_images(context, threads, options);
    float *samples = read_epoch(context, dataset, epoch);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
    return samples;
}

static bool is_same(const float *one, const float *other, size_t samples)
{
    return memcmp(one, other, samples * VALUES * sizeof *one) == 0;
}

Test(decoding, gives_the_same_bits_for_any_number_of_threads)
{
    static const char all[] = "augment=random-resized-crop+rand-augment+color-jitter:brightness=0.4,contrast=0.4,"
                              "saturation=0.4,hue=0.1+random-rotation+random-erasing:p=1";
    static const char *const options[] = { "", "decode=full", "augment=crop-flip", "augment=crop-flip;decode=full",
                                           all };
    put_images();
    for (size_t i = 0; i < THAW_COUNT(options); i++) {
        float *alone = read_with(1, options[i], 2);
        for (int threads = 2; threads <= 5; threads++) {
            float *together = read_with(threads, options[i], 2);
            cr_assert(is_same(alone, together, SAMPLES), "\"%s\" with %d threads", options[i], threads);
            free(together);
        }
        free(alone);
    }
}

Test(decoding, augments_by_seed_epoch_and_sample)
{
    put_images();
    float *first = read_with(2, "augment=crop-flip;seed=5", 1), *again = read_with(2, "augment=crop-flip;seed=5", 1);
    float *later = read_with(2, "augment=crop-flip;seed=5", 2), *other = read_with(2, "augment=crop-flip;seed=6", 1);
    cr_assert(is_same(first, again, SAMPLES));
    for (size_t i = 0; i < SAMPLES; i++) {
        const float *sample = first + i * VALUES;
        cr_assert_not(is_same(sample, later + i * VALUES, 1), "sample %zu is the same in another epoch", i);
        cr_assert_not(is_same(sample, other + i * VALUES, 1), "sample %zu is the same with another seed", i);
        if (i >= IMAGES)
            cr_assert_not(is_same(sample, sample - IMAGES * VALUES, 1), "sample %zu repeats the first's crop", i);
    }
    free(first);
    free(again);
    free(later);
    free(other);
}

/* The views are those of epochs 0 to 2 of data that are drawn in each epoch. */
Test(decoding, repeats_its_views)
{
    put_images();
    for (uint64_t epoch = 0; epoch < 7; epoch++) {
        float *view = read_with(2, "augment=crop-flip;seed=5;views=3", epoch);
        float *drawn = read_with(1, "augment=crop-flip;seed=5", epoch % 3);
        cr_assert(is_same(view, drawn, SAMPLES), "epoch %d", (int)epoch);
        free(view);
        free(drawn);
    }
}

Test(decoding, does_not_depend_on_what_was_read_before)
{
    put_images();
    thaw_context *context = folder_context(2);
    thaw_dataset *dataset = open_images(context, 2, "augment=crop-flip");
    float *first = read_epoch(context, dataset, 7);
    free(read_epoch(context, dataset, 8));
    float *again = read_epoch(context, dataset, 7);
    cr_assert(is_same(first, again, SAMPLES));
    free(first);
    free(again);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(decoding, leaves_test_data_as_they_are)
{
    put_images();
    char description[SUPPORT_PATH_BYTES + 128];
    float samples[2][VALUES];
    int32_t label;
    thaw_context *context = folder_context(1);
    for (size_t i = 0; i < 2; i++) {
        thaw_dataset *test;
        snprintf(description, sizeof description, "folder:%s;size=16%s", folder_path, i ? ";augment=crop-flip" : "");
        assert_ok(context, thaw_dataset_open(context, description, NULL, &test));
        thaw_dataset_start_epoch(test, i);
        assert_ok(context, thaw_dataset_read(test, (const size_t[]){ 0 }, 1, samples[i], &label));
        thaw_dataset_destroy(test);
    }
    cr_assert(is_same(samples[0], samples[1], 1));
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- memory */

static atomic_size_t held, peak;

static void *allocate(void *user, size_t bytes, size_t alignment)
{
    (void)user;
    void *memory = NULL;
    if (posix_memalign(&memory, alignment, bytes) != 0)
        return NULL;
    const size_t now = atomic_fetch_add(&held, bytes) + bytes;
    for (size_t most = atomic_load(&peak); now > most && !atomic_compare_exchange_weak(&peak, &most, now);)
        ;
    return memory;
}

static void release(void *user, void *memory, size_t bytes)
{
    (void)user;
    atomic_fetch_sub(&held, bytes);
    free(memory);
}

Test(decoding, takes_no_more_memory_the_more_is_read)
{
    put_images();
    thaw_context *context;
    const thaw_context_options options = { .threads = 2,
                                           .max_cpu = support_max_cpu(),
                                           .allocator = { .allocate = allocate, .release = release } };
    cr_assert_eq(thaw_context_create(&options, &context), THAW_OK);
    thaw_dataset *dataset = open_images(context, 2, "");
    const size_t opened = atomic_load(&held);
    free(read_epoch(context, dataset, 0));
    const size_t once = atomic_load(&peak);
    for (uint64_t epoch = 1; epoch < 40; epoch++)
        free(read_epoch(context, dataset, epoch));
    /* Which of the two threads meets the largest image is chance. */
    const size_t one_image = 160 * 120 * 3 + (1 << 14);
    cr_assert_leq(atomic_load(&peak), once + one_image, "%zu bytes once, %zu later", once, atomic_load(&peak));
    cr_assert_leq(opened, 1 << 14, "%zu bytes for %d names", opened, IMAGES);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
    cr_assert_eq(atomic_load(&held), 0);
}
