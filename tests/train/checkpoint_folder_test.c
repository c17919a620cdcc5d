/* The folder of a run's checkpoints: which stay, which one a run continues from, and what the log says. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/files.h"
#include "support/small_run.h"

static small_run run;
static char directory[SUPPORT_PATH_BYTES], folder[SUPPORT_PATH_BYTES];
static float wanted[SMALL_RUN_FLOATS];

/* A run of three steps, with a checkpoint of each. */
static void begin(void)
{
    support_make_directory(directory);
    support_path(folder, directory, "run");
    small_run_open(&run, NULL, false);
    small_run_step(&run, SMALL_RUN_STEPS);
    small_run_weights(&run, wanted);
    small_run_close(&run);
    small_run_open(&run, folder, true);
    assert_ok(run.context, run.status);
    cr_assert(small_run_said(&run, "holds no checkpoint: the run starts anew"), "%s", run.messages[0]);
    for (int i = 0; i < 3; i++) {
        small_run_step(&run, 1);
        assert_ok(run.context, thaw_trainer_checkpoint(run.trainer));
    }
    small_run_close(&run);
}

static void end(void)
{
    support_remove_tree(directory);
}

TestSuite(checkpoint_folder, .init = begin, .fini = end);

static const char *file(size_t steps)
{
    static char path[SUPPORT_PATH_BYTES];
    char name[64];
    snprintf(name, sizeof name, "checkpoint-%012zu.safetensors", steps);
    return support_path(path, folder, name);
}

static void assert_continues_from(size_t steps)
{
    float found[SMALL_RUN_FLOATS];
    small_run_open(&run, folder, true);
    assert_ok(run.context, run.status);
    cr_assert_eq(thaw_trainer_position_of(run.trainer).all_steps, steps);
    cr_assert(small_run_said(&run, "the run continues from"));
    cr_assert_str_eq(thaw_trainer_checkpoint_path(run.trainer), file(steps));
    small_run_step(&run, SMALL_RUN_STEPS);
    small_run_weights(&run, found);
    cr_assert_eq(memcmp(found, wanted, sizeof found), 0, "other weights from step %zu on", steps);
}

Test(checkpoint_folder, the_newest_is_continued_and_the_last_three_stay)
{
    assert_continues_from(3);
    cr_assert_str_eq(thaw_trainer_checkpoint_path(run.trainer), file(4));
    small_run_close(&run);
    cr_assert_eq(support_count_entries(folder), 3);
    cr_assert_neq(access(file(1), F_OK), 0);
    small_run_open(&run, folder, true);
    assert_ok(run.context, run.status);
    cr_assert(thaw_trainer_done(run.trainer));
    small_run_close(&run);
}

static void damage(size_t steps)
{
    static char bytes[16384];
    const long count = support_read_file(file(steps), bytes, sizeof bytes);
    cr_assert(count > 0 && count <= (long)sizeof bytes);
    bytes[count / 2] ^= 1;
    support_write_file(file(steps), bytes, (size_t)count);
}

Test(checkpoint_folder, a_damaged_one_is_named_and_the_one_before_it_taken)
{
    damage(3);
    assert_continues_from(2);
    cr_assert(small_run_said(&run, "warning: "));
    cr_assert(small_run_said(&run, file(3)));
    cr_assert(small_run_said(&run, "is damaged"));
    small_run_close(&run);
}

Test(checkpoint_folder, an_empty_file_is_passed_over)
{
    support_write_file(file(3), "", 0);
    support_write_file(file(2), "x", 1);
    assert_continues_from(1);
    small_run_close(&run);
}

Test(checkpoint_folder, without_a_whole_one_the_run_does_not_begin)
{
    for (size_t steps = 1; steps <= 3; steps++)
        damage(steps);
    small_run_open(&run, folder, true);
    cr_assert_eq(run.status, THAW_BAD_FORMAT);
    cr_assert_null(run.trainer);
    cr_assert_not_null(strstr(thaw_context_message(run.context), file(1)));
    small_run_close(&run);
}

Test(checkpoint_folder, is_not_begun_twice)
{
    small_run_open(&run, folder, false);
    cr_assert_eq(run.status, THAW_INVALID_ARGUMENT);
    cr_assert_not_null(strstr(thaw_context_message(run.context), "holds checkpoints of a run"));
    cr_assert_null(run.trainer);
    small_run_close(&run);
    cr_assert_eq(support_count_entries(folder), 3);
}

Test(checkpoint_folder, other_files_in_it_stay)
{
    char path[SUPPORT_PATH_BYTES];
    static const char *const names[] = { "notes", "checkpoint-7.safetensors",
                                         "checkpoint-000000000009.safetensors.txt" };
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        support_write_file(support_path(path, folder, names[i]), "mine", 4);
    assert_continues_from(3);
    small_run_close(&run);
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        cr_assert_eq(access(support_path(path, folder, names[i]), F_OK), 0, "%s", names[i]);
}

Test(checkpoint_folder, is_no_file)
{
    char path[SUPPORT_PATH_BYTES];
    support_write_file(support_path(path, directory, "file"), "", 0);
    small_run_open(&run, path, true);
    cr_assert_eq(run.status, THAW_IO_ERROR);
    cr_assert_not_null(strstr(thaw_context_message(run.context), "is not a folder"));
    small_run_close(&run);
}

/* A second call at one position writes nothing. */
Test(checkpoint_folder, a_position_is_written_once)
{
    small_run_open(&run, folder, true);
    small_run_step(&run, 1);
    assert_ok(run.context, thaw_trainer_checkpoint(run.trainer));
    cr_assert_eq(unlink(file(4)), 0);
    assert_ok(run.context, thaw_trainer_checkpoint(run.trainer));
    cr_assert_neq(access(file(4), F_OK), 0);
    small_run_close(&run);
}
