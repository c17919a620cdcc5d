/* What saving and loading do when the operating system, or the memory, refuses: each call fails in turn. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/faults.h"
#include "support/files.h"
#include "support/holder.h"
#include "support/support.h"

enum { FILE_BYTES = 1024 };

static thaw_context *context;
static thaw_model *model;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
static char old_file[FILE_BYTES], new_file[FILE_BYTES];
static long file_bytes;
static float old_values[HOLDER_FLOATS], new_values[HOLDER_FLOATS];

/* The old file is in place; the new one would be what the model holds. */
static void begin(void)
{
    context = support_context(1);
    model = support_holder(context);
    support_make_directory(directory);
    support_path(path, directory, "file.safetensors");
    support_holder_fill(model, 2);
    support_holder_copy(model, new_values);
    assert_ok(context, thaw_weights_save(model, path));
    file_bytes = support_read_file(path, new_file, FILE_BYTES);
    support_holder_fill(model, 1);
    support_holder_copy(model, old_values);
    assert_ok(context, thaw_weights_save(model, path));
    cr_assert_eq(support_read_file(path, old_file, FILE_BYTES), file_bytes);
    support_holder_fill(model, 2);
}

static void end(void)
{
    support_remove_directory(directory);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static void assert_file(const char *content, int call)
{
    char bytes[FILE_BYTES];
    cr_assert_eq(support_read_file(path, bytes, FILE_BYTES), file_bytes, "call %d: another length", call);
    cr_assert_eq(memcmp(bytes, content, (size_t)file_bytes), 0, "call %d: not the file that was expected", call);
    cr_assert_eq(support_count_entries(directory), 1, "call %d: something is left beside the file", call);
}

/* Saves until no call is left to fail. After an error the old file stands, unless the message says otherwise. Returns
   how many calls led to an error. */
static int save_through(int reason)
{
    int errors = 0;
    bool fired = true;
    for (int call = 1; fired; call++) {
        const size_t descriptors = support_count_entries("/proc/self/fd");
        support_write_file(path, old_file, (size_t)file_bytes);
        support_faults_arm(call, reason);
        const thaw_status status = thaw_weights_save(model, path);
        fired = support_faults_disarm();
        const char *message = thaw_context_message(context);
        const bool refused = status == THAW_IO_ERROR && strstr(message, strerror(reason));
        cr_assert(status == THAW_OK || refused, "call %d: %s: %s", call, thaw_status_name(status), message);
        assert_file(!refused || strstr(message, "holds the new content") ? new_file : old_file, call);
        cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors, "call %d: a descriptor leaks", call);
        errors += refused;
    }
    return errors;
}

/* Likewise; the model changes as a whole or not at all. */
static int load_through(int reason)
{
    int errors = 0;
    bool fired = true;
    for (int call = 1; fired; call++) {
        float now[HOLDER_FLOATS];
        const size_t descriptors = support_count_entries("/proc/self/fd");
        support_holder_fill(model, 2);
        support_faults_arm(call, reason);
        const thaw_status status = thaw_weights_load(model, path, NULL, NULL);
        fired = support_faults_disarm();
        const bool refused = status == THAW_IO_ERROR && strstr(thaw_context_message(context), strerror(reason));
        cr_assert(status == THAW_OK || refused, "call %d: %s: %s", call, thaw_status_name(status),
                  thaw_context_message(context));
        support_holder_copy(model, now);
        cr_assert_eq(memcmp(now, refused ? new_values : old_values, sizeof now), 0, "call %d: half a model", call);
        cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors, "call %d: a descriptor leaks", call);
        errors += refused;
    }
    return errors;
}

/* Two opens, permissions, space, eight writes, two syncs, a close and a rename. The lock of the temporary file, the
   test that it is still there, and the directory's close do not matter. */
Test(faults, a_save_that_is_refused_keeps_the_old_file, .init = begin, .fini = end)
{
    static const int reasons[] = { EIO, ENOSPC, EDQUOT, EROFS };
    for (size_t i = 0; i < THAW_COUNT(reasons); i++)
        cr_assert_eq(save_through(reasons[i]), 16);
}

/* Opening, writes and the reservation go on when a signal interrupts them; a sync is never tried twice. */
Test(faults, a_save_goes_on_after_signals_and_short_writes, .init = begin, .fini = end)
{
    cr_assert_eq(save_through(EINTR), 4);
    cr_assert_eq(save_through(SUPPORT_SHORT), 0);
}

Test(faults, space_that_cannot_be_reserved_is_tried_all_the_same, .init = begin, .fini = end)
{
    cr_assert_eq(save_through(EOPNOTSUPP), 14);
}

Test(faults, a_load_that_is_refused_changes_nothing, .init = begin, .fini = end)
{
    cr_assert_eq(load_through(EIO), 10);
}

Test(faults, a_load_goes_on_after_signals_and_short_reads, .init = begin, .fini = end)
{
    cr_assert_eq(load_through(EINTR), 1, "only fstat, which no signal interrupts");
    cr_assert_eq(load_through(SUPPORT_SHORT), 0);
}

/* Not even before its permissions are set is a copy of a private file open to others. */
Test(faults, a_temporary_file_allows_no_more_than_the_old_one, .init = begin, .fini = end)
{
    const mode_t mask = umask(0);
    cr_assert_eq(chmod(path, 0600), 0);
    assert_ok(context, thaw_weights_save(model, path));
    cr_assert_eq(support_faults_created(), 0600, "made with the permissions %o", support_faults_created());
    umask(mask);
}

/* Before each call in turn the process dies: the old file or the new one is there, whole, and the next save succeeds
   and removes what was left. */
Test(faults, a_save_that_is_killed_leaves_a_whole_file, .init = begin, .fini = end)
{
    int died = 0, status = 0, old_ones = 0;
    do {
        char bytes[FILE_BYTES];
        support_write_file(path, old_file, (size_t)file_bytes);
        const pid_t child = fork();
        cr_assert_geq(child, 0);
        if (child == 0) {
            support_faults_arm(died + 1, SUPPORT_DEATH);
            _exit((int)thaw_weights_save(model, path));
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_assert_eq(support_read_file(path, bytes, FILE_BYTES), file_bytes);
        const bool old = memcmp(bytes, old_file, (size_t)file_bytes) == 0;
        cr_assert(old || memcmp(bytes, new_file, (size_t)file_bytes) == 0, "killed at call %d: half a file", died + 1);
        old_ones += old;
        died += WIFSIGNALED(status);
        assert_ok(context, thaw_weights_save(model, path));
        cr_assert_eq(support_count_entries(directory), 1, "killed at call %d: something is left", died);
    } while (WIFSIGNALED(status));
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == THAW_OK);
    cr_assert_eq(died, 21);
    cr_assert_eq(old_ones, 18, "only after the rename there is the new file");
}
