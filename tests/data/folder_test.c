/* What a folder of images becomes: classes, order, parts, identity. */
#include "data/dataset.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/folder_fixture.h"
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
    folder_put_text("a/notes.txt", "no image");
    folder_put_text("a/empty", "");
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

Test(folder, is_selected_from_like_any_data_set)
{
    folder_put_classes();
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
    folder_put_classes();
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
