#include <unistd.h>

#include "data/idx.h"
#include "data/small_idx.h"
#include "support/allocator.h"
#include "support/support.h"

static void assert_content(thaw_context *context, thaw_dataset *dataset)
{
    cr_assert_eq(thaw_dataset_count(dataset), COUNT);
    cr_assert_eq(thaw_dataset_classes(dataset), 8);
    const thaw_shape *shape = thaw_dataset_sample_shape(dataset);
    cr_assert(shape->rank == 3 && shape->dims[0] == ROWS && shape->dims[1] == COLUMNS && shape->dims[2] == 1);
    float samples[PIXELS];
    int32_t labels[COUNT];
    assert_ok(context, thaw_dataset_read(dataset, (const size_t[]){ 0, 1, 2 }, COUNT, samples, labels));
    for (int i = 0; i < PIXELS; i++)
        cr_assert(samples[i] == (float)small_pixels[i] / 255.0F, "pixel %d is %.9g", i, (double)samples[i]);
    for (int i = 0; i < COUNT; i++)
        cr_assert_eq(labels[i], small_classes[i]);
}

Test(idx, plain_and_gzip_files_read_alike, .init = small_begin, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    const small_file images[] = { small_images(), small_gzip(small_images()) };
    const small_file labels[] = { small_labels(), small_gzip(small_labels()) };
    for (int i = 0; i < 4; i++) {
        thaw_dataset *dataset;
        assert_ok(context, small_open(context, &images[i & 1], &labels[i >> 1], &dataset));
        assert_content(context, dataset);
        thaw_dataset_destroy(dataset);
    }
    thaw_context_destroy(context);
}

Test(idx, gzip_files_of_several_members_are_one, .init = small_begin, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    const small_file plain = small_images(), labels = small_labels();
    small_file images = { .count = 0 };
    images.count = support_gzip(images.bytes, MOST_BYTES, plain.bytes, 20);
    images.count +=
        support_gzip(images.bytes + images.count, MOST_BYTES - images.count, plain.bytes + 20, plain.count - 20);
    thaw_dataset *dataset;
    assert_ok(context, small_open(context, &images, &labels, &dataset));
    assert_content(context, dataset);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(idx, labels_past_the_classes_are_refused, .init = small_begin, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    const small_file images = small_images(), labels = small_labels();
    support_write_file(small_images_path, images.bytes, images.count);
    support_write_file(small_labels_path, labels.bytes, labels.count);
    thaw_dataset *dataset;
    assert_fails(context, thaw_idx_open(context, small_images_path, small_labels_path, 7, NULL, &dataset),
                 THAW_BAD_FORMAT, "labels: label 7 of sample 2 must be below 7");
    assert_ok(context, thaw_idx_open(context, small_images_path, small_labels_path, 10, NULL, &dataset));
    cr_assert_eq(thaw_dataset_classes(dataset), 10);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}

Test(idx, only_chosen_classes_are_kept, .init = small_begin, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    thaw_dataset *dataset;
    const small_file images = small_images(), labels = small_labels();
    assert_ok(context, small_open(context, &images, &labels, &dataset));
    thaw_dataset_destroy(dataset);
    for (size_t wanted = 0; wanted < COUNT; wanted++) {
        const uint8_t class = small_classes[wanted];
        const thaw_dataset_selection selection = { .first_class = class, .last_class = class };
        assert_ok(context, thaw_idx_open(context, small_images_path, small_labels_path, 10, &selection, &dataset));
        size_t kept = 0;
        for (size_t i = 0; i < COUNT; i++) {
            float sample[ROWS * COLUMNS];
            int32_t label;
            if (small_classes[i] != class)
                continue;
            assert_ok(context, thaw_dataset_read(dataset, &kept, 1, sample, &label));
            cr_assert_eq(label, class);
            for (size_t k = 0; k < ROWS * COLUMNS; k++)
                cr_assert_float_eq(sample[k] * 255, small_pixels[i * ROWS * COLUMNS + k], 1e-3);
            kept++;
        }
        cr_assert_eq(thaw_dataset_count(dataset), kept);
        thaw_dataset_destroy(dataset);
    }
    const thaw_dataset_selection none = { .first_class = 9, .last_class = 9 };
    assert_fails(context, thaw_idx_open(context, small_images_path, small_labels_path, 10, &none, &dataset),
                 THAW_NOT_FOUND, "no sample has a class from 9 to 9");
    thaw_context_destroy(context);
}

Test(idx, missing_files_and_directories_are_named, .init = small_begin, .fini = folder_tear_down)
{
    thaw_context *context = support_context(1);
    const small_file images = small_images(), labels = small_labels();
    support_write_file(small_images_path, images.bytes, images.count);
    support_write_file(small_labels_path, labels.bytes, labels.count);
    thaw_dataset *dataset;
    assert_fails(context, thaw_dataset_open_idx(context, "/nowhere/images", small_labels_path, &dataset), THAW_IO_ERROR,
                 "/nowhere/images: cannot open: No such file");
    assert_fails(context, thaw_dataset_open_idx(context, small_images_path, "/nowhere/labels", &dataset), THAW_IO_ERROR,
                 "/nowhere/labels: cannot open: No such file");
    assert_fails(context, thaw_dataset_open_idx(context, folder_path, small_labels_path, &dataset), THAW_IO_ERROR,
                 "is not a regular file");
    cr_assert_null(dataset);
    thaw_context_destroy(context);
}

typedef struct opening {
    thaw_context *context;
    small_file images, labels;
    thaw_dataset *dataset;
} opening;

static thaw_status open_again(void *user)
{
    opening *now = user;
    const thaw_status status = small_open(now->context, &now->images, &now->labels, &now->dataset);
    cr_assert_eq(status == THAW_OK, now->dataset != NULL);
    return status;
}

Test(idx, every_failing_allocation_is_reported_and_leaks_nothing, .init = small_begin, .fini = folder_tear_down)
{
    support_allocator allocator = { 0 };
    opening now = { .context = support_context_on(&allocator),
                    .images = small_gzip(small_images()),
                    .labels = small_gzip(small_labels()) };
    cr_assert_geq(support_fail_each(&allocator, open_again, &now), 8);
    thaw_dataset_destroy(now.dataset);
    cr_assert_eq(allocator.live, 1);
    thaw_context_destroy(now.context);
}

Test(idx, debian_s_fashion_mnist)
{
    static const char root[] = "/usr/share/datasets/fashion-mnist/";
    char images[SUPPORT_PATH_BYTES], labels[SUPPORT_PATH_BYTES];
    if (access(root, F_OK) != 0)
        cr_skip_test("dataset-fashion-mnist is not installed");
    thaw_context *context = support_context(1);
    thaw_dataset *dataset;
    support_path(images, root, "t10k-images-idx3-ubyte.gz");
    support_path(labels, root, "t10k-labels-idx1-ubyte.gz");
    assert_ok(context, thaw_dataset_open_idx(context, images, labels, &dataset));
    cr_assert_eq(thaw_dataset_count(dataset), 10000);
    cr_assert_eq(thaw_dataset_classes(dataset), 10);
    /* Each class has a thousand test images. */
    size_t counts[10] = { 0 };
    static float sample[28 * 28];
    for (size_t i = 0; i < 10000; i++) {
        int32_t label;
        assert_ok(context, thaw_dataset_read(dataset, &i, 1, sample, &label));
        counts[label]++;
    }
    for (int i = 0; i < 10; i++)
        cr_assert_eq(counts[i], 1000);
    thaw_dataset_destroy(dataset);
    thaw_context_destroy(context);
}
