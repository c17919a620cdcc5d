/* Processes with one file for the feature cache: killed at any moment, and two at once. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "support/cached_run.h"
#include "support/files.h"
#include "support/processes.h"

enum { KILLS = 30, MEETINGS = 30, MOST_MEETINGS = 300 };

/* Exit codes of a process. */
enum { PLAIN = 0, REFUSED = 3, WRONG = 4 };

static cached_run run;
static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    cached_run_create(&run);
    support_make_directory(directory);
    support_path(path, directory, "features");
}

static void end(void)
{
    support_remove_directory(directory);
    cached_run_destroy(&run);
}

TestSuite(cache_processes, .init = begin, .fini = end, .timeout = 200);

static int train(int optional)
{
    thaw_epoch_result epoch;
    const thaw_status status = cached_run_train(&run, path, optional, &epoch);
    if (status == THAW_OK)
        return cached_run_is_plain(&run) ? PLAIN : WRONG;
    return status == THAW_IO_ERROR && strstr(thaw_context_message(run.context), "another process uses") ? REFUSED
                                                                                                        : WRONG;
}

/* Runs over and over, each time with a new file, so that the process is always within a run. Ends at a wrong result. */
static int train_often(int unused)
{
    (void)unused;
    int result;
    do {
        unlink(path);
        result = train(0);
    } while (result == PLAIN);
    return result;
}

Test(cache_processes, that_are_killed_leave_a_file_that_serves)
{
    const double before = thaw_seconds();
    cr_assert_eq(train(0), PLAIN);
    const double seconds = thaw_seconds() - before;
    srand(1);
    for (int i = 0; i < KILLS; i++) {
        const pid_t process = support_start(train_often, 0);
        support_wait_seconds(2 * seconds * rand() / RAND_MAX);
        kill(process, SIGKILL);
        cr_assert_eq(support_finish(process), -SIGKILL, "kill %d: a run in the process went wrong", i);
        cr_assert_eq(train(0), PLAIN, "kill %d", i);
        cr_assert_eq(support_count_entries(directory), 1, "kill %d: something is left beside the file", i);
    }
}

/* One uses the file. The other is refused, goes on without if it may, or comes when the first has ended. */
Test(cache_processes, on_one_file_do_not_mix)
{
    int refusals = 0;
    for (int i = 0; i < MEETINGS || (refusals == 0 && i < MOST_MEETINGS); i++) {
        const int optional = i % 2;
        unlink(path);
        const pid_t processes[2] = { support_start(train, optional), support_start(train, optional) };
        const int results[2] = { support_finish(processes[0]), support_finish(processes[1]) };
        const int refused = (results[0] == REFUSED) + (results[1] == REFUSED);
        const int plain = (results[0] == PLAIN) + (results[1] == PLAIN);
        cr_assert_eq(plain + refused, 2, "meeting %d: %d and %d", i, results[0], results[1]);
        cr_assert_leq(refused, optional ? 0 : 1, "meeting %d", i);
        refusals += refused;
        cr_assert_eq(train(0), PLAIN, "meeting %d: the file", i);
    }
    cr_assert_geq(refusals, 1, "the processes never met");
}
