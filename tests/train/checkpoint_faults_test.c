/* What saving and loading a checkpoint do when the operating system refuses: each call fails in turn. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/faults.h"
#include "support/files.h"
#include "support/small_run.h"

enum { MOST_BYTES = 16384 };

static small_run run;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES], old_file[MOST_BYTES], new_file[MOST_BYTES];
static long old_bytes, new_bytes;

/* The checkpoint of one step is in place; the new one would be of three. */
static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "run.safetensors");
    small_run_open(&run, NULL, false);
    small_run_step(&run, 1);
    assert_ok(run.context, thaw_trainer_save(run.trainer, path));
    old_bytes = support_read_file(path, old_file, MOST_BYTES);
    small_run_step(&run, 2);
    assert_ok(run.context, thaw_trainer_save(run.trainer, path));
    new_bytes = support_read_file(path, new_file, MOST_BYTES);
    cr_assert(old_bytes > 0 && old_bytes <= MOST_BYTES && new_bytes > 0 && new_bytes <= MOST_BYTES);
}

static void end(void)
{
    small_run_close(&run);
    support_remove_directory(directory);
}

TestSuite(checkpoint_faults, .init = begin, .fini = end);

/* Whether the file is the new one, whole; otherwise it must be the old one, whole. Nothing is beside it. */
static bool is_new(int call)
{
    char bytes[MOST_BYTES];
    const long length = support_read_file(path, bytes, MOST_BYTES);
    const bool old = length == old_bytes && memcmp(bytes, old_file, (size_t)old_bytes) == 0;
    const bool new = length == new_bytes &&memcmp(bytes, new_file, (size_t)new_bytes) == 0;
    cr_assert(old || new, "call %d: neither the old nor the new checkpoint", call);
    return new;
}

static int save_through(int reason)
{
    int errors = 0;
    bool fired = true;
    for (int call = 1; fired; call++) {
        const size_t descriptors = support_count_entries("/proc/self/fd");
        support_write_file(path, old_file, (size_t)old_bytes);
        support_faults_arm(call, reason);
        const thaw_status status = thaw_trainer_save(run.trainer, path);
        fired = support_faults_disarm();
        const char *message = thaw_context_message(run.context);
        cr_assert(status == THAW_OK || (status == THAW_IO_ERROR && strstr(message, strerror(reason))),
                  "call %d: %s: %s", call, thaw_status_name(status), message);
        cr_assert_eq(is_new(call), status == THAW_OK || strstr(message, "holds the new content"), "call %d", call);
        cr_assert_eq(support_count_entries(directory), 1, "call %d: something is left beside the file", call);
        cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors, "call %d: a descriptor leaks", call);
        errors += status != THAW_OK;
    }
    return errors;
}

Test(checkpoint_faults, a_save_that_is_refused_keeps_the_old_checkpoint)
{
    static const int reasons[] = { EIO, ENOSPC, EDQUOT, EROFS };
    for (size_t i = 0; i < THAW_COUNT(reasons); i++)
        cr_assert_geq(save_through(reasons[i]), 14);
}

Test(checkpoint_faults, a_save_goes_on_after_signals_and_short_writes)
{
    cr_assert_leq(save_through(EINTR), 4);
    cr_assert_eq(save_through(0), 0);
}

Test(checkpoint_faults, a_load_that_is_refused_changes_nothing)
{
    int errors = 0;
    bool fired = true;
    float before[SMALL_RUN_FLOATS], now[SMALL_RUN_FLOATS];
    small_run_weights(&run, before);
    support_write_file(path, old_file, (size_t)old_bytes);
    for (int call = 1; fired; call++) {
        support_faults_arm(call, EIO);
        const thaw_status status = thaw_trainer_load(run.trainer, path);
        fired = support_faults_disarm();
        small_run_weights(&run, now);
        cr_assert(status == THAW_OK || status == THAW_IO_ERROR, "call %d: %s", call, thaw_status_name(status));
        cr_assert_eq(memcmp(now, before, sizeof now) == 0, status != THAW_OK, "call %d", call);
        cr_assert_eq(thaw_trainer_position_of(run.trainer).all_steps, status == THAW_OK ? 1 : 3);
        errors += status != THAW_OK;
    }
    cr_assert_geq(errors, 4);
}

/* Before each call in turn the process dies: the old or the new checkpoint is there, whole, and continues. */
Test(checkpoint_faults, a_save_that_is_killed_leaves_a_whole_checkpoint)
{
    int died = 0, status = 0, new_ones = 0;
    do {
        support_write_file(path, old_file, (size_t)old_bytes);
        const pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            support_faults_arm(died + 1, SUPPORT_DEATH);
            _exit((int)thaw_trainer_save(run.trainer, path));
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        died += WIFSIGNALED(status);
        new_ones += is_new(died);
        assert_ok(run.context, thaw_trainer_save(run.trainer, path));
        cr_assert_eq(support_count_entries(directory), 1, "killed at call %d: something is left", died);
    } while (WIFSIGNALED(status));
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == THAW_OK);
    cr_assert_geq(died, 15);
    cr_assert(new_ones > 0 && new_ones < died);
}

/* The thread that writes meets a full disk at each of its calls in turn: the run ends as if nothing had been. */
Test(checkpoint_faults, a_full_disk_costs_the_checkpoint_and_not_the_run)
{
    float wanted[SMALL_RUN_FLOATS], found[SMALL_RUN_FLOATS];
    char folder[SUPPORT_PATH_BYTES];
    support_path(folder, directory, "run");
    small_run_step(&run, 1);
    small_run_weights(&run, wanted);
    int warnings = 0;
    bool fired = true;
    for (int call = 1; fired; call++) {
        small_run full;
        small_run_open(&full, folder, false);
        assert_ok(full.context, full.status);
        support_faults_arm(call, ENOSPC);
        small_run_step(&full, SMALL_RUN_STEPS);
        thaw_trainer_checkpoint_path(full.trainer);
        fired = support_faults_disarm();
        small_run_weights(&full, found);
        cr_assert_eq(memcmp(found, wanted, sizeof found), 0, "call %d: other weights", call);
        warnings += small_run_said(&full, "warning: no checkpoint: ") && small_run_said(&full, "No space left");
        small_run_close(&full);
        support_remove_tree(folder);
    }
    cr_assert_geq(warnings, 14, "%d warnings", warnings);
}
