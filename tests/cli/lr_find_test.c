/* thaw lr-find: its chart, its figures, and that files stay as they are. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/fixture.h"

TestSuite(lr_find, .init = cli_begin, .fini = cli_end);

Test(lr_find, suggests_a_rate_with_a_chart)
{
    char line[1024], path[SUPPORT_PATH_BYTES];
    static char before[4 << 20], after[4 << 20];
    cli_pretrain();
    const long length = support_read_file(cli_variables[2], before, sizeof before);
    snprintf(line, sizeof line,
             "lr-find --load $c --data $a --batch 10 --threads 1 --freeze conv1 --group dense2:optimizer=sgd:lr=0.1 "
             "--steps 40 --from 1e-6 --to 100 --svg %s",
             support_path(path, cli_directory, "rates.svg"));
    support_command(&cli_run, cli_directory, line, cli_variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    support_assert_says(cli_run.output, "suggestion: ");
    support_assert_says(cli_run.output, "*");
    snprintf(line, sizeof line, "\nsaved %s\n", path);
    support_assert_says(cli_run.output, line);
    cr_assert_eq(support_read_file(cli_variables[2], after, sizeof after), length);
    cr_assert_eq(memcmp(before, after, (size_t)length), 0);
    const long drawn = support_read_file(path, after, sizeof after - 1);
    cr_assert_gt(drawn, 0);
    after[drawn] = '\0';
    support_assert_says(after, "<svg ");
    support_assert_says(after, "</svg>");
}

Test(lr_find, prints_its_points_as_json)
{
    support_command(
        &cli_run, cli_directory,
        "lr-find --model mlp:hidden=16 --data $a --batch 10 --threads 1 --steps 11 --from 1e-5 --to 1 --json",
        cli_variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    json_t *object = support_json_line(&cli_run, 0);
    cli_assert_event(object, "learning_rates");
    const json_t *points = json_object_get(object, "points");
    cr_assert_geq(json_array_size(points), 3);
    cr_assert_float_eq(support_json_number(json_array_get(points, 2), "rate"), 1e-4, 1e-9);
    json_decref(object);
    support_command(&cli_run, cli_directory, "lr-find --model mlp --data $a --from 1 --to 0.1", cli_variables);
    cr_assert_eq(cli_run.code, 2);
    support_assert_says(cli_run.errors, "learning rates go from 1 to 0.1");
}

/* Starts a test that would take long, with standard error on a terminal; returns when it has drawn its progress. */
static pid_t start_long_test(const char *output, const char *svg, bool json)
{
    char first[64];
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    const int errors = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    fflush(NULL);
    const pid_t process = fork();
    cr_assert_geq(process, 0);
    if (process == 0) {
        const int file = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        if (dup2(file, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0 || setenv("TERM", "xterm", 1) != 0)
            _exit(126);
        execl(getenv("THAW_COMMAND"), "thaw", "lr-find", "--load", cli_variables[2], "--data", cli_variables[0],
              "--batch", "10", "--threads", "1", "--steps", "10000", "--from", "1e-7", "--to", "1e-6", "--svg", svg,
              json ? "--json" : (char *)NULL, (char *)NULL);
        _exit(127);
    }
    cr_assert_gt(read(terminal, first, sizeof first), 0);
    return process;
}

Test(lr_find, a_signal_stops_it_and_shows_the_curve_so_far)
{
    char output[SUPPORT_PATH_BYTES], svg[SUPPORT_PATH_BYTES];
    static char before[4 << 20], after[4 << 20], text[1 << 20];
    cli_pretrain();
    const long length = support_read_file(cli_variables[2], before, sizeof before);
    support_path(output, cli_directory, "curve");
    support_path(svg, cli_directory, "never.svg");
    for (int json = 0; json < 2; json++) {
        int status;
        const pid_t process = start_long_test(output, svg, json);
        cr_assert_eq(kill(process, SIGINT), 0);
        cr_assert_eq(waitpid(process, &status, 0), process);
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 130, "status %d", status);
        const long got = support_read_file(output, text, sizeof text - 1);
        cr_assert_gt(got, 0);
        text[got] = '\0';
        support_assert_says(text, json ? "\"stopped\":true,\"points\":[{\"rate\":1e-7," : "stopped by a signal after ");
        support_assert_says(text, json ? "\"suggestion\":null" : " of 10000 steps, no suggestion");
        cr_assert_lt(access(svg, F_OK), 0, "a chart of a part was written");
        cr_assert_eq(support_read_file(cli_variables[2], after, sizeof after), length);
        cr_assert_eq(memcmp(before, after, (size_t)length), 0);
    }
}
