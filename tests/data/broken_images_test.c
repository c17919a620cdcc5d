/* Images that are broken, when the folder is read and when they are decoded: told once, then left out or replaced, or
   an error. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/folder_fixture.h"
#include "data/loader.h"
#include "support/max_cpu.h"
#include "support/support.h"

TestSuite(broken_images, .init = folder_set_up, .fini = folder_tear_down);

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; *text; text++)
        lines += *text == '\n';
    return lines;
}

static void assert_logged(const char *text)
{
    cr_assert_not_null(strstr(folder_log, text), "\"%s\" lacks \"%s\"", folder_log, text);
}

static thaw_dataset *open_training(thaw_context *context)
{
    thaw_dataset *training;
    assert_ok(context, thaw_dataset_open_folder(context, folder_path, &folder_plain, &training, NULL));
    return training;
}

static void assert_strict_fails(const char *message)
{
    thaw_context *context = folder_context(1);
    thaw_dataset *training;
    thaw_folder_options options = folder_plain;
    options.fail_on_broken = true;
    assert_fails(context, thaw_dataset_open_folder(context, folder_path, &options, &training, NULL), THAW_BAD_FORMAT,
                 message);
    cr_assert_null(training);
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- found when the folder is read */

Test(broken_images, are_left_out_or_refused_at_once)
{
    static const struct {
        const char *name, *text;
        size_t bytes;
        const char *reason;
    } files[] = {
        { "a/empty.jpg", "", 0, "a/empty.jpg: is empty" },
        { "a/letter.JPEG", "Dear reader", 11, "a/letter.JPEG: is neither JPEG nor PNG" },
        { "a/moving.png", "GIF89a..........", 16, "a/moving.png: is a GIF image, must be JPEG or PNG" },
        { "a/other", "RIFF....WEBPVP8 ", 16, "a/other: is a WebP image" },
        { "a/short.png", "\x89PNG", 4, "a/short.png: is neither JPEG nor PNG" },
    };
    folder_put_image("a/1.png", 1);
    folder_put_image("a/z.png", 2);
    for (size_t i = 0; i < THAW_COUNT(files); i++) {
        char path[SUPPORT_PATH_BYTES];
        folder_log[0] = '\0';
        folder_put(files[i].name, files[i].text, files[i].bytes);
        thaw_context *context = folder_context(1);
        thaw_dataset *training = open_training(context);
        folder_assert_samples(context, training, "1:0 2:0", 1);
        assert_logged(files[i].reason);
        assert_logged("; left out");
        cr_assert_eq(count_lines(folder_log), 1, "%s", folder_log);
        thaw_dataset_destroy(training);
        thaw_context_destroy(context);
        assert_strict_fails(files[i].reason);
        cr_assert_eq(unlink(folder_join(path, files[i].name)), 0);
    }
}

Test(broken_images, may_be_links_that_lead_nowhere)
{
    char path[SUPPORT_PATH_BYTES];
    folder_put_image("a/1.png", 1);
    cr_assert_eq(symlink("nowhere.png", folder_join(path, "a/lost")), 0);
    cr_assert_eq(symlink("round", folder_join(path, "a/round")), 0);
    cr_assert_eq(mkfifo(folder_join(path, "a/pipe.png"), 0600), 0);
    thaw_context *context = folder_context(1);
    thaw_dataset *training = open_training(context);
    folder_assert_samples(context, training, "1:0", 1);
    assert_logged("a/lost: cannot be read: No such file or directory; left out");
    assert_logged("a/round: cannot be read: Too many levels of symbolic links; left out");
    assert_logged("a/pipe.png: is not a regular file; left out");
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

Test(broken_images, are_not_what_links_lead_to)
{
    char path[SUPPORT_PATH_BYTES];
    folder_put_image("a/1.png", 1);
    folder_put_image("elsewhere/2.png", 2);
    cr_assert_eq(symlink("../elsewhere/2.png", folder_join(path, "a/2.png")), 0);
    cr_assert_eq(symlink("..", folder_join(path, "a/up")), 0); /* and down again, without end */
    cr_assert_eq(symlink(".", folder_join(path, "a/here")), 0);
    cr_assert_eq(symlink("a", folder_join(path, "class")), 0);
    thaw_context *context = folder_context(1);
    thaw_dataset *training = open_training(context);
    char found[4096];
    folder_list(context, training, found, sizeof found);
    cr_assert_eq(strncmp(found, "1:0 2:0 ", 8), 0, "%s", found);
    assert_logged("a/here: links to a folder that was read through another path; not followed");
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

/* Folders of two links each, to the next: 2^24 paths lead to the last. */
Test(broken_images, are_found_once_whatever_paths_lead_to_them, .timeout = 60)
{
    enum { FOLDERS = 24 };
    char path[SUPPORT_PATH_BYTES], name[32], target[32];
    folder_put_image("a/1.png", 1);
    for (int i = 0; i < FOLDERS; i++) {
        snprintf(name, sizeof name, ".store/%d/x.png", i);
        folder_put_image(name, 10 + i);
        snprintf(target, sizeof target, "../%d", i + 1);
        for (int k = 0; k < 2 && i + 1 < FOLDERS; k++) {
            snprintf(name, sizeof name, ".store/%d/%c", i, 'a' + k);
            cr_assert_eq(symlink(target, folder_join(path, name)), 0);
        }
    }
    cr_assert_eq(symlink("../.store/0", folder_join(path, "a/in")), 0);
    thaw_context *context = folder_context(1);
    thaw_dataset *training = open_training(context);
    cr_assert_eq(thaw_dataset_count(training), 1 + FOLDERS);
    assert_logged("a/in/b: links to a folder that was read through another path; not followed");
    cr_assert_eq(count_lines(folder_log), FOLDERS - 1, "%s", folder_log);
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

Test(broken_images, may_be_forbidden)
{
    char path[SUPPORT_PATH_BYTES];
    folder_put_image("a/1.png", 1);
    folder_put_image("a/mine.png", 2);
    folder_put_image("b/3.png", 3);
    cr_assert_eq(chmod(folder_join(path, "a/mine.png"), 0), 0);
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(chmod(folder_join(path, (const char *const[]){ ".", "a", "b" }[i]), 0755), 0);
    cr_assert_eq(chmod(folder_join(path, "a/1.png"), 0644), 0);
    cr_assert_eq(chmod(folder_join(path, "b/3.png"), 0644), 0);
    const bool root = geteuid() == 0; /* whom nothing is forbidden */
    if (root)
        cr_assert_eq(seteuid(65534), 0);
    thaw_context *context = folder_context(1);
    thaw_dataset *training = open_training(context);
    folder_assert_samples(context, training, "1:0 3:1", 2);
    assert_logged("a/mine.png: cannot be read: Permission denied; left out");
    thaw_dataset_destroy(training);
    if (root)
        cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(chmod(folder_join(path, "b"), 0), 0);
    if (root)
        cr_assert_eq(seteuid(65534), 0);
    assert_fails(context, thaw_dataset_open_folder(context, folder_path, NULL, &training, NULL), THAW_IO_ERROR,
                 "/b: cannot be read: Permission denied");
    if (root)
        cr_assert_eq(seteuid(0), 0);
    cr_assert_eq(chmod(folder_join(path, "b"), 0700), 0);
    thaw_context_destroy(context);
}

/* ---------------------------------------------------------------- found when they are decoded */

static void put_cut_images(void)
{
    folder_put_image("a/1.png", 1);
    folder_put_copy("a/2.png", "rgb.png", 0.5);
    folder_put_copy("a/3.png", "rgb.jpg", 0.5);
    folder_put_image("a/4.png", 4);
    folder_put_image("b/5.png", 5);
    folder_put_image("b/6.png", 6);
    folder_put_copy("b/7.png", "grey.png", 0.6);
}

Test(broken_images, have_the_next_of_their_class_in_their_place)
{
    put_cut_images();
    thaw_context *context = folder_context(3);
    thaw_dataset *training = open_training(context);
    cr_assert_str_empty(folder_log);
    for (int round = 0; round < 3; round++) {
        folder_assert_samples(context, training, "1:0 4:0 4:0 4:0 5:1 6:1 5:1", 2);
        cr_assert_eq(count_lines(folder_log), 3, "each is told once: %s", folder_log);
    }
    assert_logged("a/2.png: is cut short; replaced by another image of its class");
    assert_logged("a/3.png: is cut short; replaced by");
    assert_logged("b/7.png: is cut short; replaced by");
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

static pthread_t caller;
static size_t told;

static void note_thread(void *user, thaw_log_level level, const char *message)
{
    (void)user, (void)message;
    cr_assert(pthread_equal(caller, pthread_self()), "the log is called on the host's thread");
    told += level == THAW_LOG_WARNING;
}

Test(broken_images, are_told_on_the_callers_thread)
{
    put_cut_images();
    thaw_context *context;
    const thaw_context_options options = { .threads = 3, .max_cpu = support_max_cpu(), .log = note_thread };
    cr_assert_eq(thaw_context_create(&options, &context), THAW_OK);
    caller = pthread_self();
    thaw_dataset *training = open_training(context);
    thaw_loader *loader;
    assert_ok(context, thaw_loader_create(context, training, &(thaw_loader_options){ .batch = 3 }, &loader));
    float seen[7];
    thaw_loader_start_epoch(loader, 0);
    for (size_t step = 0; step < thaw_loader_steps(loader); step++) {
        thaw_batch batch;
        assert_ok(context, thaw_loader_next(loader, &batch));
        memcpy(seen + batch.indices[0], batch.samples, batch.count * sizeof *seen);
    }
    static const float wanted[] = { 1, 4, 4, 4, 5, 6, 5 };
    for (size_t i = 0; i < THAW_COUNT(wanted); i++)
        cr_assert(seen[i] == wanted[i] / 255.0F, "sample %zu is %g", i, (double)seen[i] * 255);
    cr_assert_eq(told, 3);
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

Test(broken_images, are_errors_on_wish)
{
    put_cut_images();
    thaw_context *context = folder_context(2);
    thaw_folder_options options = folder_plain;
    options.fail_on_broken = true;
    thaw_dataset *training;
    assert_ok(context, thaw_dataset_open_folder(context, folder_path, &options, &training, NULL));
    float samples[7];
    int32_t labels[7];
    assert_fails(context, thaw_dataset_read(training, (const size_t[]){ 0, 3, 6, 1 }, 4, samples, labels),
                 THAW_IO_ERROR, "b/7.png: is cut short");
    assert_ok(context, thaw_dataset_read(training, (const size_t[]){ 0, 3, 4, 5 }, 4, samples, labels));
    thaw_loader *loader;
    thaw_batch batch;
    assert_ok(context, thaw_loader_create(context, training, &(thaw_loader_options){ .batch = 7 }, &loader));
    thaw_loader_start_epoch(loader, 0);
    assert_fails(context, thaw_loader_next(loader, &batch), THAW_IO_ERROR, "a/2.png: is cut short");
    thaw_loader_destroy(loader);
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

Test(broken_images, all_of_a_class_are_an_error)
{
    folder_put_image("a/1.png", 1);
    folder_put_copy("b/2.png", "rgb.png", 0.5);
    folder_put_copy("b/3.png", "rgb.png", 0.5);
    thaw_context *context = folder_context(1);
    thaw_dataset *training = open_training(context);
    float sample;
    int32_t label;
    for (int round = 0; round < 2; round++)
        assert_fails(context, thaw_dataset_read(training, (const size_t[]){ 2 }, 1, &sample, &label), THAW_IO_ERROR,
                     "b/3.png: is broken, as are all images of its class");
    assert_ok(context, thaw_dataset_read(training, (const size_t[]){ 0 }, 1, &sample, &label));
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}

/* A file that goes while training is broken from then on. */
Test(broken_images, may_become_so)
{
    char path[SUPPORT_PATH_BYTES];
    put_cut_images();
    thaw_context *context = folder_context(1);
    thaw_dataset *training = open_training(context);
    cr_assert_eq(unlink(folder_join(path, "a/4.png")), 0);
    folder_assert_samples(context, training, "1:0 1:0 1:0 1:0 5:1 6:1 5:1", 2);
    assert_logged("a/4.png: cannot be read: No such file or directory; replaced by");
    thaw_dataset_destroy(training);
    thaw_context_destroy(context);
}
