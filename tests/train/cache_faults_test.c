/* Calls of the operating system fail, one after the other, while a run uses a feature cache in a file. The run gives
   the weights of a run without a file, or an error. The next run gives these weights whatever the file then holds. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "features/feature_storage.h"
#include "support/cached_run.h"
#include "support/faults.h"
#include "support/files.h"

enum { MOST_BYTES = 1 << 14, KEY_PLACE = 32 };

static cached_run run;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];
static char whole[MOST_BYTES], other[MOST_BYTES]; /* a file that the run has filled, and one of another run */
static size_t bytes;

static void begin(void)
{
    cached_run_create(&run);
    support_make_directory(directory);
    support_path(path, directory, "features");
    bytes = cached_run_fill(&run, path, whole, MOST_BYTES);
    cr_assert_gt(bytes, KEY_PLACE);
    memcpy(other, whole, bytes);
    other[KEY_PLACE] ^= 1;
}

static void end(void)
{
    support_remove_directory(directory);
    cached_run_destroy(&run);
}

TestSuite(cache_faults, .init = begin, .fini = end, .timeout = 200);

/* The file before each run; NULL: there is none. */
static void place(const char *content)
{
    if (content)
        support_write_file(path, content, bytes);
    else
        unlink(path);
}

typedef void arming(int call, int reason);

/* Runs until no call is left to fail. Returns how many of them led to an error. */
static int run_through(arming *arm, const char *content, int reason, bool optional)
{
    int errors = 0;
    bool fired = true;
    for (int call = 1; fired; call++) {
        thaw_epoch_result epoch;
        const size_t descriptors = support_count_entries("/proc/self/fd");
        place(content);
        arm(call, reason);
        const thaw_status status = cached_run_train(&run, path, optional, &epoch);
        fired = support_faults_disarm();
        const char *message = thaw_context_message(run.context);
        const bool refused = status == THAW_IO_ERROR && reason && strstr(message, strerror(reason));
        cr_assert(status == THAW_OK || refused, "call %d: %s: %s", call, thaw_status_name(status), message);
        cr_assert(refused || cached_run_is_plain(&run), "call %d: other weights", call);
        cr_assert_eq(support_count_entries("/proc/self/fd"), descriptors, "call %d: a descriptor leaks", call);
        errors += refused;
        assert_ok(run.context, cached_run_train(&run, path, false, &epoch));
        cr_assert(cached_run_is_plain(&run), "after call %d: other weights", call);
        cr_assert(epoch.cache_on_disk, "after call %d: no cache", call);
    }
    return errors;
}

static void assert_errors(arming *arm, const char *content, int reason, bool optional, int expected)
{
    const int errors = run_through(arm, content, reason, optional);
    cr_assert_eq(errors, expected, "%d calls led to an error, not %d: %s", errors, expected, strerror(reason));
}

/* Opening takes a look at the open file, a lock and a read; beginning a file empties it, writes the header and reserves
   space. No signal interrupts the look and the lock. Rows are written or computed again. */
static void assert_usual_errors(const char *content, int openings)
{
    assert_errors(support_faults_arm, content, EIO, false, openings);
    assert_errors(support_faults_arm, content, ENOSPC, false, openings);
    assert_errors(support_faults_arm, content, EINTR, false, 2);
    assert_errors(support_faults_arm, content, SUPPORT_SHORT, false, 0);
}

Test(cache_faults, of_a_new_file)
{
    assert_usual_errors(NULL, 7);
}

Test(cache_faults, of_a_file_with_all_rows)
{
    assert_usual_errors(whole, 4);
}

Test(cache_faults, of_a_file_of_another_run)
{
    assert_usual_errors(other, 7);
}

Test(cache_faults, of_a_file_that_is_optional)
{
    static const int reasons[] = { EIO, ENOSPC, EINTR };
    for (size_t i = 0; i < THAW_COUNT(reasons); i++) {
        assert_errors(support_faults_arm, NULL, reasons[i], true, 0);
        assert_errors(support_faults_arm, whole, reasons[i], true, 0);
        assert_errors(support_faults_arm, other, reasons[i], true, 0);
    }
}

/* A disk that is gone. In a cached epoch, a row that cannot be read ends the run. A read asks the page cache first, and
   then the disk; one of both suffices. */
Test(cache_faults, that_last)
{
    const int reads = CACHED_RUN_SAMPLES * (CACHED_RUN_EPOCHS - 1);
    assert_errors(support_faults_arm_from, NULL, EIO, false, 7 + reads);
    assert_errors(support_faults_arm_from, NULL, EIO, true, reads);
    assert_errors(support_faults_arm_from, other, ENOSPC, false, 7 + reads);
    assert_errors(support_faults_arm_from, other, ENOSPC, true, reads);
    assert_errors(support_faults_arm_from, whole, EIO, false, 4 + reads + CACHED_RUN_SAMPLES);
    assert_errors(support_faults_arm_from, whole, EIO, true, reads + CACHED_RUN_SAMPLES);
}

/* Whatever fails: what --cache auto may choose. */
Test(cache_faults, of_the_question_whether_a_file_is_free)
{
    static const char letter[] = "Dear reader, these are no features.";
    static const int reasons[] = { EIO, EINTR, SUPPORT_SHORT };
    for (size_t i = 0; i < THAW_COUNT(reasons); i++) {
        bool fired = true;
        support_write_file(path, letter, sizeof letter);
        for (int call = 1; fired; call++) {
            support_faults_arm(call, reasons[i]);
            const bool is_free = thaw_feature_file_is_free(path);
            fired = support_faults_disarm();
            cr_assert_not(is_free, "a letter, call %d", call);
        }
    }
    bool fired = true;
    place(whole);
    for (int call = 1; fired; call++) {
        support_faults_arm(call, SUPPORT_SHORT);
        const bool is_free = thaw_feature_file_is_free(path);
        fired = support_faults_disarm();
        cr_assert(is_free, "a feature cache, call %d", call);
    }
}
