/* What a folder of images becomes: classes, order, parts, shares. */
#include "data/dataset.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/folder_fixture.h"
#include "support/allocator.h"
#include "support/max_cpu.h"
#include "support/support.h"

TestSuite(folder, .init = folder_set_up, .fini = folder_tear_down);

static void assert_folder(const thaw_folder_options *options, const char *training_wanted, const char *test_wanted,
                          size_t classes)
{
    thaw_context *context = folder_context(2);
    thaw_dataset *training, *test;
    assert_ok(context, thaw_dataset_open_folder(context, folder_path, options, &training, &test));
    folder_assert_samples(context, training, training_wanted, classes);
    cr_assert_eq(test != NULL, test_wanted != NULL);
    if (test)
        folder_assert_samples(context, test, test_wanted, classes);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    thaw_context_destroy(context);
}

/* ImageFolder's order: classes by name; in each, folders by path, then files by name; capitals first. */
Test(folder, is_numbered_as_torchvision_does)
{
    folder_put_image("dog/b.png", 21);
    folder_put_image("dog/a.png", 20);
    folder_put_image("Zebra/1.png", 1);
    folder_put_image("cat/x/2.png", 15);
    folder_put_image("cat/y.png", 12);
    folder_put_image("cat/x/1.png", 14);
    folder_put_image("cat/10.png", 10);
    folder_put_image("cat/9.png", 11);
    folder_put_image("cat/x-y/0.png", 16);
    folder_put_image("cat/x/deep/er/0.png", 17);
    folder_put_image("stray.png", 99);
    assert_folder(&folder_plain, "1:0 10:1 11:1 12:1 14:1 15:1 16:1 17:1 20:2 21:2", NULL, 3);
    cr_assert_str_empty(folder_log);
}

Test(folder, knows_images_by_content)
{
    folder_put_image("a/1.jpg", 1);
    folder_put_image("a/2", 2);
    folder_put_image("a/3.txt", 3);
    folder_put_image("a/.hidden.png", 4);
    folder_put_image("a/.thumbs/5.png", 5);
    folder_put_image(".git/6.png", 6);
    folder_put_image("a/b.jpg/7.png", 7); /* a folder with an image's name */
    folder_put_text("a/notes.txt", "no image", 8);
    folder_put_text("a/empty", "", 0);
    folder_put_copy("b/photo.png", "grey.jpg", 1);
    thaw_context *context = folder_context(1);
    thaw_dataset *training;
    assert_ok(context, thaw_dataset_open_folder(context, folder_path, &folder_plain, &training, NULL));
    cr_assert_eq(thaw_dataset_count(training), 5);
    char found[256];
    folder_list(context, training, found, sizeof found);
    cr_assert_eq(strncmp(found, "1:0 2:0 3:0 7:0 ", 16), 0, "%s", found);
    cr_assert_str_empty(folder_log);
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

Test(folder, may_come_in_two_parts)
{
    folder_put_image("train/a/1.png", 1);
    folder_put_image("train/b/2.png", 2);
    folder_put_image("train/c/3.png", 3);
    folder_put_image("val/c/103.png", 103);
    folder_put_image("val/a/101.png", 101);
    folder_put_image("other/1.png", 50);
    thaw_folder_options options = folder_plain;
    options.validation = 0.5;
    assert_folder(&options, "1:0 2:1 3:2", "101:0 103:2", 3);
    folder_put_image("val/d/104.png", 104);
    thaw_context *context = folder_context(1);
    thaw_dataset *training, *test;
    assert_fails(context, thaw_dataset_open_folder(context, folder_path, NULL, &training, &test), THAW_INVALID_ARGUMENT,
                 "val/d: ");
    cr_assert(!training && !test);
    thaw_context_destroy(context);
}

Test(folder, with_train_alone_is_split)
{
    for (int i = 0; i < 10; i++) {
        char name[64];
        snprintf(name, sizeof name, "train/a/%d.png", i);
        folder_put_image(name, i);
    }
    thaw_context *context = folder_context(1);
    thaw_dataset *training, *test;
    assert_ok(context, thaw_dataset_open_folder(context, folder_path, NULL, &training, &test));
    cr_assert(thaw_dataset_count(training) == 8 && thaw_dataset_count(test) == 2);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    thaw_context_destroy(context);
}

/* A class that is called train. */
Test(folder, named_train_may_be_a_class)
{
    folder_put_image("train/1.png", 1);
    folder_put_image("bus/2.png", 2);
    assert_folder(&folder_plain, "2:0 1:1", NULL, 2);
}

/* ---------------------------------------------------------------- splitting */

enum { CLASSES = 3 };
static const int class_sizes[CLASSES] = { 20, 11, 1 };

/* Image i of class c has the brightness 50 c + i. */
static void put_classes(void)
{
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < class_sizes[c]; i++) {
            char name[64];
            snprintf(name, sizeof name, "%c/%02d.png", 'a' + c, i);
            folder_put_image(name, 50 * c + i);
        }
}

/* Notes in which part each image is (1: training, 2: test), and returns how many are in the test part of each class. */
static void open_split(const char *options, unsigned char parts[256], size_t counts[CLASSES])
{
    char description[SUPPORT_PATH_BYTES + 128];
    thaw_context *context = folder_context(1);
    thaw_dataset *data[2];
    snprintf(description, sizeof description, "folder:%s;size=1;resize=1;channels=1;%s", folder_path, options);
    assert_ok(context, thaw_dataset_open(context, description, &data[0], &data[1]));
    memset(parts, 0, 256);
    memset(counts, 0, CLASSES * sizeof *counts);
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

Test(folder, is_split_by_class_and_by_seed)
{
    unsigned char once[256], again[256], other[256], selected[256];
    size_t counts[CLASSES];
    put_classes();
    open_split("seed=5", once, counts);
    cr_assert(counts[0] == 4 && counts[1] == 2 && counts[2] == 0, "%zu %zu %zu", counts[0], counts[1], counts[2]);
    for (int c = 0; c < CLASSES; c++)
        for (int i = 0; i < class_sizes[c]; i++)
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
Test(folder, is_split_the_same_way_in_contexts_of_any_seed)
{
    char lists[2][1024];
    put_classes();
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

Test(folder, is_selected_from_like_any_data_set)
{
    put_classes();
    char description[SUPPORT_PATH_BYTES + 128];
    thaw_context *context = folder_context(1);
    thaw_dataset *training, *test;
    snprintf(description, sizeof description,
             "folder:%s;size=1;resize=1;channels=1;val=0;classes=1-2;per-class=2;repeat=2", folder_path);
    assert_ok(context, thaw_dataset_open(context, description, &training, &test));
    cr_assert_null(test);
    folder_assert_samples(context, training, "50:0 51:0 100:1 50:0 51:0 100:1", 2);
    thaw_dataset_destroy(training);
    assert_ok(context, thaw_dataset_open_folder(context, folder_path, &folder_plain, &training, NULL));
    thaw_dataset *some;
    const thaw_dataset_selection selection = { .first_class = 1, .last_class = 2, .per_class = 1 };
    assert_ok(context, thaw_dataset_select(context, training, &selection, &some));
    folder_assert_samples(context, some, "50:0 100:1", 2);
    thaw_dataset_destroy(some);
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- identity */

static void read_identity(const char *options, uint64_t identity[2])
{
    char description[SUPPORT_PATH_BYTES + 128];
    thaw_context *context = folder_context(1);
    thaw_dataset *training;
    snprintf(description, sizeof description, "folder:%s;val=0%s", folder_path, options);
    assert_ok(context, thaw_dataset_open(context, description, &training, NULL));
    memcpy(identity, training->source.identity, sizeof training->source.identity);
    cr_assert(identity[0] && identity[1]);
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

static bool is_same(const char *options, const uint64_t first[2])
{
    uint64_t found[2];
    read_identity(options, found);
    return memcmp(found, first, sizeof found) == 0;
}

Test(folder, has_the_identity_of_its_files_and_of_what_they_become)
{
    uint64_t first[2];
    char path[SUPPORT_PATH_BYTES], other[SUPPORT_PATH_BYTES];
    put_classes();
    read_identity("", first);
    cr_assert(is_same("", first));
    cr_assert(is_same(";seed=9;threads=3", first), "what changes no sample");
    static const char *const changes[] = { ";size=32",     ";resize=300",  ";channels=1",  ";mean=0.5",
                                           ";decode=full", ";classes=0-1", ";per-class=5", ";std=0.5" };
    for (size_t i = 0; i < THAW_COUNT(changes); i++)
        cr_assert_not(is_same(changes[i], first), "%s", changes[i]);
    struct stat about;
    cr_assert_eq(stat(folder_join(path, "a/03.png"), &about), 0);
    folder_put_image("a/03.png", 77);
    const struct timespec times[2] = { about.st_atim, { about.st_mtim.tv_sec, about.st_mtim.tv_nsec + 1 } };
    cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
    cr_assert_not(is_same("", first), "a file that was written anew");
    const struct timespec before[2] = { about.st_atim, about.st_mtim };
    cr_assert_eq(utimensat(AT_FDCWD, path, before, 0), 0);
    cr_assert(is_same("", first), "by name, size and time");
    cr_assert_eq(rename(path, folder_join(other, "a/3.png")), 0);
    cr_assert_not(is_same("", first), "a file with another name");
}

/* ---------------------------------------------------------------- faults */

static const struct {
    const char *options;
    thaw_status status;
    const char *message;
} bad[] = {
    { ";size=0", THAW_INVALID_ARGUMENT, "size=0, must be a whole number from 1" },
    { ";size=9000", THAW_INVALID_ARGUMENT, "size is 9000, must be from 1 to 8192" },
    { ";size=99999999999999", THAW_INVALID_ARGUMENT, "must be from 1 to 8192" },
    { ";size=224;resize=200", THAW_INVALID_ARGUMENT, "resize is 200, must be from size, which is 224" },
    { ";channels=4", THAW_INVALID_ARGUMENT, "channels=4, must be 1 or 3" },
    { ";mean=a", THAW_INVALID_ARGUMENT, "mean must be one number" },
    { ";mean=0.5,0.5", THAW_INVALID_ARGUMENT, "mean must be one number" },
    { ";std=1,2,3,4", THAW_INVALID_ARGUMENT, "std must be one number" },
    { ";std=1,0,1", THAW_INVALID_ARGUMENT, "std is 0, must be above 0" },
    { ";std=nan", THAW_INVALID_ARGUMENT, "std must be" },
    { ";augment=flip", THAW_INVALID_ARGUMENT, "augment=flip, must be none or crop-flip" },
    { ";decode=half", THAW_INVALID_ARGUMENT, "decode=half, must be scaled or full" },
    { ";on-error=ask", THAW_INVALID_ARGUMENT, "on-error=ask, must be skip or fail" },
    { ";val=1", THAW_INVALID_ARGUMENT, "val=1, must be at least 0 and below 1" },
    { ";val=-0.1", THAW_INVALID_ARGUMENT, "val=-0.1" },
    { ";threads=0", THAW_INVALID_ARGUMENT, "threads=0" },
    { ";threads=2000", THAW_INVALID_ARGUMENT, "threads is 2000, must be from 1 to 1024" },
    { ";sise=3", THAW_NOT_FOUND, "unknown option of a data set \"sise\", did you mean \"size\"?" },
    { ";size=3;size=4", THAW_INVALID_ARGUMENT, "size is given twice" },
    { ";classes=2-3", THAW_INVALID_ARGUMENT, "classes are 2 to 3, must be within 0 to 2" },
    { ";size=1;std=0", THAW_INVALID_ARGUMENT, "std is 0, must be above 0" },
    { ";size=1;std=0.5,0,0.5", THAW_INVALID_ARGUMENT, "std is 0, must be above 0" },
    { ";size=1;std=-1", THAW_INVALID_ARGUMENT, "std is -1, must be above 0" },
    { "/nothing", THAW_IO_ERROR, "nothing: cannot be read: No such file" },
    { "/a/00.png", THAW_IO_ERROR, "cannot be read: Not a directory" },
    { "/a", THAW_NOT_FOUND, "/a: has no sub-folders, must have one per class" },
};

Test(folder, what_is_wrong_is_named)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    put_classes();
    for (size_t i = 0; i < THAW_COUNT(bad); i++) {
        char description[SUPPORT_PATH_BYTES + 128];
        thaw_dataset *training, *test;
        snprintf(description, sizeof description, "folder:%s%s", folder_path, bad[i].options);
        assert_fails(context, thaw_dataset_open(context, description, &training, &test), bad[i].status, bad[i].message);
        cr_assert(!training && !test);
        cr_assert_eq(allocator.live, 1, "%s leaks", description);
    }
    thaw_dataset *training;
    assert_fails(context, thaw_dataset_open(context, "folder:", &training, NULL), THAW_INVALID_ARGUMENT,
                 "PATH is missing");
    assert_fails(context, thaw_dataset_open(context, "folder", &training, NULL), THAW_INVALID_ARGUMENT,
                 "PATH is missing");
    thaw_context_destroy(context);
}

Test(folder, without_images_is_not_found)
{
    char path[SUPPORT_PATH_BYTES];
    thaw_context *context = folder_context(1);
    thaw_dataset *training;
    folder_put_text("a/readme", "nothing here", 12);
    cr_assert_eq(mkdir(folder_join(path, "b"), 0700), 0);
    assert_fails(context, thaw_dataset_open_folder(context, folder_path, NULL, &training, NULL), THAW_NOT_FOUND,
                 "its sub-folders contain no JPEG or PNG images");
    cr_assert_not_null(strstr(folder_log, "/b: contains no images"), "%s", folder_log);
    thaw_context_destroy(context);
}

Test(folder, survives_every_failing_allocation)
{
    support_allocator allocator = { 0 };
    thaw_context *context = support_context_on(&allocator);
    thaw_dataset *training, *test;
    const size_t files = support_count_entries("/proc/self/fd");
    put_classes();
    size_t sites = 0;
    for (;; sites++) {
        allocator.fail_at = allocator.calls + sites + 1;
        const thaw_status status = thaw_dataset_open_folder(context, folder_path, NULL, &training, &test);
        if (status == THAW_OK)
            break;
        cr_assert_eq(status, THAW_OUT_OF_MEMORY, "site %zu: %s", sites, thaw_status_name(status));
        cr_assert(!training && !test);
        cr_assert_eq(allocator.live, 1, "site %zu leaks", sites);
        cr_assert_eq(support_count_entries("/proc/self/fd"), files, "site %zu leaves a file open", sites);
    }
    cr_assert_geq(sites, 20);
    thaw_dataset_destroy(training);
    thaw_dataset_destroy(test);
    cr_assert_eq(support_count_entries("/proc/self/fd"), files);
    thaw_context_destroy(context);
}
