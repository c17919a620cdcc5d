/* `thaw bench`, killed at random moments and continued with --resume: what it writes is always whole, it never refuses
   what it left, and the results at the end are those of a comparison that nobody disturbed. THAW_KILLS sets how often
   each comparison is killed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "core/clock.h"
#include "support/results.h"
#include "support/support.h"

enum { KILLS = 15 };

/* $g the folder of the report, $h the strategies, $i the optimizers. */
static char folder[SUPPORT_PATH_BYTES];
static const char *variables[9] = { [7] = "full head", [8] = "adam sgd:lr=0.01" };

static void begin(void)
{
    cli_begin();
    memcpy(variables, cli_variables, sizeof cli_variables);
    variables[6] = support_path(folder, cli_directory, "report");
    srand((unsigned)time(NULL) + (unsigned)getpid());
}

static void end(void)
{
    support_remove_tree(folder);
    cli_end();
}

static void wait_seconds(double seconds)
{
    nanosleep(&(struct timespec){ (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) }, NULL);
}

/* The results, without what may differ between two equal comparisons; NULL where there are none yet. */
static json_t *load_results(void)
{
    char path[SUPPORT_PATH_BYTES];
    json_error_t error;
    support_path(path, folder, "results.json");
    if (access(path, F_OK) != 0)
        return NULL;
    json_t *results = json_load_file(path, 0, &error);
    cr_assert_not_null(results, "results.json is torn: %s in line %d", error.text, error.line);
    support_forget_times(results);
    return results;
}

/* A page that is there is whole. */
static void assert_whole_page(void)
{
    static const char last[] = "</html>\n";
    static char page[4 << 20];
    char path[SUPPORT_PATH_BYTES];
    const long bytes = support_read_file(support_path(path, folder, "index.html"), page, sizeof page);
    const long length = (long)strlen(last);
    cr_assert_lt(bytes, (long)sizeof page);
    cr_assert(bytes < 0 || (bytes >= length && memcmp(page + bytes - length, last, (size_t)length) == 0));
}

static void assert_results(const json_t *wanted, int kills)
{
    char path[SUPPORT_PATH_BYTES];
    json_t *found = load_results();
    cr_assert(found && json_equal(wanted, found), "other results after %d kills", kills);
    json_decref(found);
    cr_assert_neq(access(support_path(path, folder, "results.json.journal"), F_OK), 0, "the journal stays");
}

/* Runs to the end; returns the seconds. */
static double finish(const char *line)
{
    const double start = thaw_seconds();
    support_command(&cli_run, cli_directory, line, variables);
    cr_assert_eq(cli_run.code, 0, "%s: %s", line, cli_run.errors);
    return thaw_seconds() - start;
}

/* Kills it once, or lets it end; returns whether it was killed. */
static bool run_and_kill(const char *line, double seconds)
{
    support_run run;
    const pid_t process = support_command_start(cli_directory, line, variables, -1);
    wait_seconds(seconds * rand() / RAND_MAX);
    kill(process, SIGKILL);
    support_command_finish(&run, cli_directory, process);
    cr_assert(run.code == 0 || run.code == 128 + SIGKILL, "%s: exit code %d: %s", line, run.code, run.errors);
    return run.code != 0;
}

static void check(const char *line)
{
    const char *told = getenv("THAW_KILLS");
    const int wanted = told ? atoi(told) : KILLS;
    double seconds = finish(line);
    int kills = 0;
    json_t *whole = load_results();
    cr_assert_eq(json_array_size(json_object_get(whole, "runs")), 8);
    support_remove_tree(folder);
    for (int tries = 0; kills < wanted && tries < 10 * wanted; tries++) {
        const bool killed = run_and_kill(line, seconds);
        json_decref(load_results());
        assert_whole_page();
        kills += killed;
        if (killed)
            continue;
        assert_results(whole, kills); /* it was faster: the next one starts anew, and has less time */
        seconds *= 0.8;
        support_remove_tree(folder);
    }
    cr_assert_eq(kills, wanted);
    finish(line);
    assert_results(whole, kills);
    json_decref(whole);
}

#define BENCH                                                                    \
    "bench --model mlp-500 --data $b --strategies $h --optimizers $i --seeds 2 " \
    "--epochs 2 --batch 16 --threads 1 --report $g --resume "

Test(bench_kills, lose_no_run_and_leave_no_torn_file, .init = begin, .fini = end, .timeout = 250)
{
    check(BENCH);
}

Test(bench_kills, lose_none_of_two_runs_at_a_time, .init = begin, .fini = end, .timeout = 250)
{
    check(BENCH "--jobs 2");
}
