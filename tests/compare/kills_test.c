/* Comparisons in processes of their own, which are killed, or meet others on the same file. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "support/comparison.h"

enum { KILLS = 30, MEETINGS = 10 };

/* Exit codes of a process. */
enum { DONE = 0, REFUSED = 3, FAILED = 4 };

static int compare(const thaw_comparison_options *options)
{
    thaw_comparison *made;
    const char *message = thaw_context_message(comparison.context);
    if (thaw_comparison_create(comparison.context, options, &made) != THAW_OK)
        return strstr(message, "another run is writing") || strstr(message, "exists already") ? REFUSED : FAILED;
    thaw_status status = thaw_comparison_run(made);
    if (status == THAW_OK)
        status = thaw_comparison_write_report(made, comparison.directory);
    thaw_comparison_destroy(made);
    return status == THAW_OK ? DONE : FAILED;
}

static pid_t start(const thaw_comparison_options *options)
{
    fflush(NULL);
    const pid_t process = fork();
    cr_assert_geq(process, 0);
    if (process == 0)
        _exit(compare(options));
    return process;
}

/* The exit code, or minus the signal. */
static int finish(pid_t process)
{
    int status;
    cr_assert_eq(waitpid(process, &status, 0), process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void wait_seconds(double seconds)
{
    const struct timespec time = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };
    nanosleep(&time, NULL);
}

/* Whether the process has ended within this time, without reaping it. */
static bool ends_within(pid_t process, double seconds)
{
    siginfo_t ended = { 0 };
    const double begin = thaw_seconds();
    while (ended.si_pid == 0 && thaw_seconds() - begin < seconds) {
        wait_seconds(0.001);
        cr_assert_eq(waitid(P_PID, (id_t)process, &ended, WEXITED | WNOHANG | WNOWAIT), 0);
    }
    return ended.si_pid != 0;
}

static void remove_files(void)
{
    support_remove_tree(comparison.directory);
    comparison_make_directory();
}

/* A file that is there is whole. */
static void assert_ends(const char *name, const char *last)
{
    static char text[1 << 20];
    char path[SUPPORT_PATH_BYTES];
    const long bytes = support_read_file(support_path(path, comparison.directory, name), text, sizeof text);
    cr_assert_lt(bytes, (long)sizeof text);
    const long length = (long)strlen(last);
    cr_assert(bytes < 0 || (bytes >= length && memcmp(text + bytes - length, last, (size_t)length) == 0), "%s", name);
}

Test(kills, lose_no_run_and_leave_no_torn_file, .init = comparison_begin, .fini = comparison_end, .timeout = 250)
{
    thaw_comparison_options options = comparison_of_four_runs();
    double begin = thaw_seconds();
    cr_assert_eq(finish(start(&options)), DONE);
    double seconds = thaw_seconds() - begin; /* of a whole comparison; less as other programs leave the machine */
    json_t *whole = comparison_load_timeless();
    size_t killed = 0;
    for (int i = 0; i < KILLS; i++) {
        remove_files();
        options.results = comparison.results;
        options.resume = false;
        begin = thaw_seconds();
        const pid_t process = start(&options);
        if (ends_within(process, seconds * (i + 0.5) / KILLS))
            seconds = thaw_seconds() - begin;
        kill(process, SIGKILL);
        killed += finish(process) == -SIGKILL;
        assert_ends("results.json", "}\n");
        assert_ends("results.csv", "\n");
        assert_ends("index.html", "</html>\n");
        options.resume = true;
        cr_assert_eq(finish(start(&options)), DONE, "kill %d", i);
        cr_assert_neq(access(comparison.journal, F_OK), 0, "kill %d", i);
        json_t *resumed = comparison_load_timeless();
        cr_assert(json_equal(whole, resumed), "kill %d", i);
        json_decref(resumed);
    }
    cr_assert_geq(killed, KILLS / 3, "only %zu were killed before they were done", killed);
    json_decref(whole);
}

/* Two at once, of which the second has other seeds: one does all of its runs, and the other is refused. */
Test(processes, on_one_file_do_not_mix, .init = comparison_begin, .fini = comparison_end, .timeout = 250)
{
    thaw_comparison_options options = comparison_of_four_runs();
    for (int i = 0; i < MEETINGS; i++) {
        remove_files();
        options.results = comparison.results;
        thaw_comparison_options other = options;
        other.first_seed = 101;
        const pid_t first = start(&options), second = start(&other);
        const int codes[] = { finish(first), finish(second) };
        cr_assert(codes[0] + codes[1] == REFUSED && codes[0] * codes[1] == DONE, "%d and %d", codes[0], codes[1]);
        json_t *file = comparison_load();
        const json_t *runs = json_object_get(file, "runs");
        cr_assert_eq(json_array_size(runs), 4);
        for (size_t k = 0; k < 4; k++) {
            const json_int_t seed = json_integer_value(json_object_get(json_array_get(runs, k), "seed"));
            cr_assert(codes[0] == DONE ? seed <= 2 : seed >= 101, "run %zu has seed %lld", k, (long long)seed);
        }
        json_decref(file);
        cr_assert_neq(access(comparison.journal, F_OK), 0);
    }
}

/* Two that resume the same, and are killed together: what they leave can be resumed. */
Test(processes, that_resume_together_may_be_killed_together, .init = comparison_begin, .fini = comparison_end,
     .timeout = 250)
{
    thaw_comparison_options options = comparison_of_four_runs();
    options.resume = true;
    const double begin = thaw_seconds();
    cr_assert_eq(finish(start(&options)), DONE);
    const double seconds = thaw_seconds() - begin;
    json_t *whole = comparison_load_timeless();
    for (int i = 0; i < MEETINGS; i++) {
        remove_files();
        options.results = comparison.results;
        const pid_t processes[] = { start(&options), start(&options) };
        wait_seconds(seconds * (i + 0.5) / MEETINGS);
        kill(processes[0], SIGKILL);
        kill(processes[1], SIGKILL);
        for (int k = 0; k < 2; k++)
            cr_assert_neq(finish(processes[k]), FAILED);
        cr_assert_eq(finish(start(&options)), DONE, "meeting %d", i);
        json_t *resumed = comparison_load_timeless();
        cr_assert(json_equal(whole, resumed), "meeting %d", i);
        json_decref(resumed);
    }
    json_decref(whole);
}
