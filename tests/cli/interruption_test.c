/* What keeps a run from its end: signals, and an output that nobody takes. */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "support/support.h"

static void wait_for_output(void)
{
    char path[SUPPORT_PATH_BYTES], byte;
    support_path(path, cli_directory, "output");
    for (int i = 0; i < 6000 && support_read_file(path, &byte, 1) < 1; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

static pid_t start_long_run(void)
{
    const pid_t process = support_command_start(
        cli_directory, "train --model transfer-cnn --data $a --epochs 1000000 --batch 16 --threads 1 --json --save $c",
        cli_variables, -1);
    wait_for_output();
    return process;
}

static void assert_saved(pid_t process, int by)
{
    support_command_finish(&cli_run, cli_directory, process);
    cr_assert_eq(cli_run.code, 128 + by, "exit code %d: %s", cli_run.code, cli_run.errors);
    json_t *done = support_json_line(&cli_run, -1);
    cli_assert_event(done, "done");
    cr_assert(json_is_true(json_object_get(done, "stopped")));
    json_decref(done);
    cli_succeed("evaluate --model transfer-cnn --load $c --data $a --threads 1");
    unlink(cli_variables[2]);
}

Test(signals, an_interrupted_run_saves_what_it_has, .init = cli_begin, .fini = cli_end)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    for (size_t i = 0; i < THAW_COUNT(signals); i++) {
        const pid_t process = start_long_run();
        kill(process, signals[i]);
        assert_saved(process, signals[i]);
    }
}

/* The shell of a terminal that goes away sends SIGHUP, and the kernel does. */
Test(signals, a_terminal_that_goes_away_twice_loses_nothing, .init = cli_begin, .fini = cli_end)
{
    const pid_t process = start_long_run();
    for (int i = 0; i < 3; i++) {
        kill(process, SIGHUP);
        nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
    }
    assert_saved(process, SIGHUP);
}

/* As under nohup. */
Test(signals, what_was_ignored_from_the_start_stays_so, .init = cli_begin, .fini = cli_end)
{
    signal(SIGHUP, SIG_IGN);
    const pid_t process = start_long_run();
    kill(process, SIGHUP);
    nanosleep(&(struct timespec){ .tv_nsec = 300000000 }, NULL);
    cr_assert_eq(kill(process, SIGTERM), 0);
    assert_saved(process, SIGTERM);
}

/* Trains with its output going to `output`: that must fail, but only after the weights are saved. */
static void train_into(int output)
{
    const pid_t process =
        support_command_start(cli_directory,
                              "train --model mlp-500 --data $a --epochs 3 --batch 16 --threads 1 --save $c",
                              cli_variables, output);
    support_command_finish(&cli_run, cli_directory, process);
    cr_assert_eq(cli_run.code, 1, "exit code %d", cli_run.code);
    cr_assert_not_null(strstr(cli_run.errors, "thaw: standard output: "), "%s", cli_run.errors);
    cli_succeed("evaluate --model mlp-500 --load $c --data $a --threads 1");
    unlink(cli_variables[2]);
}

Test(output, lost_lines_lose_no_weights, .init = cli_begin, .fini = cli_end)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    close(ends[0]);
    train_into(ends[1]);
    close(ends[1]);
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert_geq(full, 0);
    train_into(full);
    close(full);
}
