/* Where the command keeps features: --cache. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/folder_fixture.h"
#include "support/command.h"
#include "support/support.h"

static support_run run;
static char beside[SUPPORT_PATH_BYTES], elsewhere[SUPPORT_PATH_BYTES], description[SUPPORT_PATH_BYTES + 64];

/* Sixteen images to train on, whose features take 18432 bytes each. */
static void begin(void)
{
    folder_set_up();
    for (int i = 0; i < 20; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%s/%d", i % 2 ? "dark" : "bright", i);
        folder_put_image(name, i % 2 ? 5 * i : 255 - 5 * i);
    }
    folder_join(beside, "images.transfer-cnn.features");
    folder_join(elsewhere, "elsewhere");
    snprintf(description, sizeof description, "folder:%s/images;size=28;channels=1", folder_path);
}

TestSuite(cache, .init = begin, .fini = folder_tear_down);

/* Trains three epochs with a memory that is too small; $a is the data, $b a file of choice. Returns the loss. */
static double train(const char *more)
{
    char line[512];
    snprintf(line, sizeof line,
             "train --model transfer-cnn --data $a --batch 4 --epochs 3 --freeze conv* --cache-bytes 20000 --threads 1 "
             "--json %s",
             more);
    support_command(&run, folder_path, line, (const char *const[]){ description, elsewhere });
    cr_assert_eq(run.code, 0, "%s: %s", more, run.errors);
    json_t *last = support_json_line(&run, -1);
    const double loss = support_json_number(last, "loss");
    json_decref(last);
    return loss;
}

/* Whether the epoch, from 0 on, started at the cache, and in the end the file that was chosen, "" for none. */
static void assert_cached(int epoch, bool cached, const char *file)
{
    json_t *line = support_json_line(&run, epoch), *last = support_json_line(&run, -1);
    const char *named = json_string_value(json_object_get(last, "cache_file"));
    cr_assert_eq(json_is_true(json_object_get(line, "cached")), cached, "epoch %d", epoch);
    cr_assert_str_eq(named ? named : "", file);
    json_decref(line);
    json_decref(last);
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

Test(cache, goes_beside_a_folder_when_memory_is_too_small)
{
    const double plain = train("--cache off");
    assert_cached(1, false, "");
    cr_assert_eq(train("--cache memory"), plain);
    assert_cached(1, false, "");
    cr_assert_not(exists(beside));
    cr_assert_eq(train(""), plain);
    assert_cached(0, false, beside);
    assert_cached(1, true, beside);
    cr_assert(exists(beside));
    cr_assert_eq(train("--cache auto"), plain);
    assert_cached(0, true, beside);
}

Test(cache, stays_in_memory_that_suffices)
{
    train("--cache-bytes 1M");
    assert_cached(1, true, "");
    cr_assert_not(exists(beside));
}

Test(cache, is_no_file_where_that_gains_nothing)
{
    train("--epochs 1");
    train("--unfreeze conv*@2");
    train("--cache-file-bytes 20000");
    train("--cache-bytes 0");
    train("--unfreeze *");
    cr_assert_not(exists(beside));
}

/* Epochs 1 and 2 of three have one frozen prefix; with the other rules, no two have. */
Test(cache, is_a_file_when_two_epochs_have_a_prefix_in_common)
{
    const double plain = train("--unfreeze conv*@3 --cache off");
    cr_assert_eq(train("--unfreeze conv*@3"), plain);
    assert_cached(1, true, beside);
    assert_cached(2, false, beside);
    cr_assert_eq(unlink(beside), 0);
#define HALVES "--strategy lp-ft --epochs 4 --cache-bytes 4000 "
    cr_assert_eq(train(HALVES "--cache off"), train(HALVES));
    assert_cached(1, true, beside);
    assert_cached(2, false, beside);
    cr_assert_eq(unlink(beside), 0);
    train("--unfreeze conv2@2 --unfreeze conv1@3");
    cr_assert_not(exists(beside));
}

Test(cache, is_the_file_that_is_named)
{
    train("--cache $b");
    assert_cached(1, true, "");
    cr_assert(exists(elsewhere));
    cr_assert_not(exists(beside));
}

Test(cache, leaves_files_of_others_alone)
{
    char found[4];
    support_write_file(beside, "mine", 4);
    train("");
    assert_cached(1, false, "");
    cr_assert_eq(support_read_file(beside, found, sizeof found), 4);
    cr_assert(memcmp(found, "mine", 4) == 0);
    cr_assert_eq(unlink(beside), 0);
    train("");
    const int other = open(beside, O_RDWR | O_CLOEXEC);
    cr_assert_eq(flock(other, LOCK_EX), 0);
    train("");
    assert_cached(1, false, "");
    close(other);
    train("");
    assert_cached(0, true, beside);
}

/* Two processes that start together and choose the same file, many times: one has it, and the other goes on without. */
Test(cache, is_of_one_run_of_two_that_start_together, .timeout = 200)
{
    enum { MEETINGS = 5 };
    static support_run runs[2];
    char place[2][SUPPORT_PATH_BYTES], line[256];
    const double plain = train("--epochs 12 --cache off");
    snprintf(
        line, sizeof line,
        "train --model transfer-cnn --data $a --batch 4 --epochs 12 --freeze conv* --cache-bytes 20000 --threads 1 "
        "--json --cache auto");
    for (int i = 0; i < 2; i++)
        cr_assert_eq(mkdir(folder_join(place[i], i ? "second" : "first"), 0777), 0);
    size_t refused = 0;
    for (int meeting = 0; meeting < MEETINGS; meeting++) {
        pid_t processes[2];
        for (int i = 0; i < 2; i++)
            processes[i] = support_command_start(place[i], line, (const char *const[]){ description }, -1);
        for (int i = 0; i < 2; i++)
            support_command_finish(&runs[i], place[i], processes[i]);
        for (int i = 0; i < 2; i++) {
            cr_assert_eq(runs[i].code, 0, "%s", runs[i].errors);
            json_t *last = support_json_line(&runs[i], -1);
            cr_assert_eq(support_json_number(last, "loss"), plain, "meeting %d, run %d", meeting, i);
            refused += json_is_false(json_object_get(last, "cache_on_disk"));
            json_decref(last);
        }
        cr_assert(exists(beside));
        cr_assert_eq(unlink(beside), 0);
    }
    cr_assert_gt(refused, 0, "no two of them met");
    for (int i = 0; i < 2; i++)
        support_remove_directory(place[i]);
}

Test(cache, of_other_data_is_in_the_cache_of_the_user)
{
    char cache[SUPPORT_PATH_BYTES], images[SUPPORT_PATH_BYTES], labels[SUPPORT_PATH_BYTES];
    support_write_images(folder_path);
    snprintf(description, sizeof description, "idx:%s,%s", folder_join(images, "train-images"),
             folder_join(labels, "train-labels"));
    cr_assert_eq(setenv("XDG_CACHE_HOME", folder_join(cache, "cache"), 1), 0);
    train("");
    json_t *last = support_json_line(&run, -1);
    const char *file = json_string_value(json_object_get(last, "cache_file"));
    cr_assert_not_null(file);
    cr_assert(strncmp(file, cache, strlen(cache)) == 0 && exists(file), "%s", file);
    json_decref(last);
    cr_assert_eq(support_count_entries(folder_join(cache, "cache/thaw")), 1);
    cr_assert_eq(setenv("XDG_CACHE_HOME", "/dev/null/nowhere", 1), 0); /* no place: no file, and no failure */
    train("");
    assert_cached(1, false, "");
}

Test(cache, is_in_the_plan)
{
    support_command(&run, folder_path,
                    "plan --model transfer-cnn --data $a --freeze conv* --batch 4 --cache-bytes 20000 --threads 1",
                    (const char *const[]){ description });
    cr_assert_eq(run.code, 0, "%s", run.errors);
    cr_assert_not_null(strstr(run.output, "go to "), "%s", run.output);
    cr_assert_not_null(strstr(run.output, beside), "%s", run.output);
    cr_assert_not(exists(beside));
}
