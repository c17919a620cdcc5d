/* Which images of a folder are for training and which for testing. */
#include <stdio.h>
#include <string.h>

#include "data/folder_fixture.h"
#include "support/max_cpu.h"
#include "support/support.h"

TestSuite(folder_split, .init = folder_set_up, .fini = folder_tear_down);

/* Notes in which part each image is (1: training, 2: test), and returns how many are in the test part of each class. */
static void open_split(const char *options, unsigned char parts[256], size_t counts[FOLDER_CLASSES])
{
    char description[SUPPORT_PATH_BYTES + 128];
    thaw_context *context = folder_context(1);
    thaw_dataset *data[2];
    snprintf(description, sizeof description, "folder:%s;size=1;resize=1;channels=1;%s", folder_path, options);
    assert_ok(context, thaw_dataset_open(context, description, &data[0], &data[1]));
    memset(parts, 0, 256);
    memset(counts, 0, FOLDER_CLASSES * sizeof *counts);
    for (unsigned char part = 0; part < 2; part++)
        for (size_t i = 0; data[part] && i < thaw_dataset_count(data[part]); i++) {
            float pixel;
            int32_t label;
            assert_ok(context, thaw_dataset_read(data[part], &i, 1, &pixel, &label));
            const int brightness = (int)(pixel * 255 + 0.5F);
            cr_assert_eq(parts[brightness], 0, "%d is in twice", brightness);
            parts[brightness] = part + 1;
            counts[brightness / 50] += part;
        }
    thaw_dataset_destroy(data[0]);
    thaw_dataset_destroy(data[1]);
    thaw_context_destroy(context);
}

Test(folder_split, is_split_by_class_and_by_seed)
{
    unsigned char once[256], again[256], other[256], selected[256];
    size_t counts[FOLDER_CLASSES];
    folder_put_classes();
    open_split("seed=5", once, counts);
    cr_assert(counts[0] == 4 && counts[1] == 2 && counts[2] == 0, "%zu %zu %zu", counts[0], counts[1], counts[2]);
    for (int c = 0; c < FOLDER_CLASSES; c++)
        for (int i = 0; i < folder_class_sizes[c]; i++)
            cr_assert_neq(once[50 * c + i], 0, "%d of class %d is lost", i, c);
    open_split("seed=5", again, counts);
    cr_assert_eq(memcmp(once, again, sizeof once), 0, "one seed, one split");
    open_split("seed=6", other, counts);
    cr_assert_neq(memcmp(once, other, sizeof once), 0, "another seed, another split");
    open_split("seed=5;classes=1", selected, counts);
    cr_assert_eq(memcmp(once + 50, selected + 50, 50), 0, "a class is split the same way without the others");
    open_split("val=0.5;seed=5", other, counts);
    cr_assert(counts[0] == 10 && counts[1] == 6 && counts[2] == 0, "%zu %zu %zu", counts[0], counts[1], counts[2]);
    open_split("val=0", other, counts);
    cr_assert(counts[0] == 0 && counts[1] == 0);
}

/* Or what one run trained on would be what another tests on. */
Test(folder_split, is_split_the_same_way_in_contexts_of_any_seed)
{
    char lists[2][1024];
    folder_put_classes();
    for (uint64_t seed = 0; seed < 2; seed++) {
        thaw_context *context;
        thaw_dataset *test;
        thaw_folder_options options = folder_plain;
        options.validation = 0.5;
        cr_assert_eq(thaw_context_create(&(thaw_context_options){ .threads = 1,
                                                                  .max_cpu = support_max_cpu(),
                                                                  .seed = seed },
                                         &context),
                     THAW_OK);
        assert_ok(context, thaw_dataset_open_folder(context, folder_path, &options, NULL, &test));
        folder_list(context, test, lists[seed], sizeof lists[seed]);
        thaw_dataset_destroy(test);
        thaw_context_destroy(context);
    }
    cr_assert_str_eq(lists[0], lists[1]);
}
