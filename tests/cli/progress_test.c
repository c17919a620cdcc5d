/* The progress line on a terminal: what it shows, and that it fits. The terminal is a pseudo-terminal. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <thaw/base.h>
#include <unistd.h>

#include "cli/fixture.h"

enum { SCREEN_BYTES = 1 << 16, MOST_LINES = 512 };

static const char erase[] = "\r\033[K";

/* What the terminal got, and the lines in it. */
static char screen[SCREEN_BYTES];
static const char *lines[MOST_LINES];
static size_t line_count;

static int open_terminal(void)
{
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert_geq(terminal, 0);
    cr_assert_eq(grantpt(terminal), 0);
    cr_assert_eq(unlockpt(terminal), 0);
    return terminal;
}

static void resize(int terminal, unsigned short columns)
{
    cr_assert_eq(ioctl(terminal, TIOCSWINSZ, &(struct winsize){ .ws_row = 24, .ws_col = columns }), 0);
}

/* Two epochs, in each of which the data are read some times: about half a second for each four. Tests, which are
   faster, read them more often. */
static pid_t start_tested(int terminal, int times, bool json, bool tested)
{
    static char data[8192], test_data[8192];
    const int errors = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    cr_assert_geq(errors, 0);
    snprintf(data, sizeof data, "%s;repeat=%d", cli_variables[4], 6 * times);
    snprintf(test_data, sizeof test_data, "%s;repeat=%d", cli_variables[4], 60 * times);
    fflush(NULL);
    const pid_t process = fork();
    cr_assert_geq(process, 0);
    if (process == 0) {
        const int nothing = open("/dev/null", O_WRONLY);
        const int output = json ? errors : nothing;
        if (dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0 || setenv("TERM", "xterm", 1) != 0)
            _exit(126);
        execl(getenv("THAW_COMMAND"), "thaw", "train", "--model", "mlp-500", "--data", data, "--epochs", "2", "--batch",
              "16", "--threads", "1",
              tested ? "--test-data"
              : json ? "--json"
                     : (char *)NULL,
              tested ? test_data : (char *)NULL, (char *)NULL);
        _exit(127);
    }
    close(errors);
    return process;
}

static pid_t start(int terminal, int times, bool json)
{
    return start_tested(terminal, times, json, false);
}

/* Cuts what was drawn into lines. */
static void read_lines(void)
{
    line_count = 0;
    for (char *rest = screen, *line; (line = strstr(rest, erase)) && line_count < MOST_LINES;) {
        *line = '\0';
        lines[line_count++] = rest = line + strlen(erase);
    }
}

/* Reads what the command draws until it has tested for a while, and ends it. */
static void watch_test(int terminal, pid_t process)
{
    const char *testing = NULL;
    size_t length = 0;
    for (ssize_t got; (!testing || !strstr(testing, " left")) &&
                      (got = read(terminal, screen + length, sizeof screen - 1 - length)) > 0;) {
        length += (size_t)got;
        screen[length] = '\0';
        testing = strstr(screen, "testing");
    }
    kill(process, SIGKILL);
    cr_assert_eq(waitpid(process, NULL, 0), process);
    close(terminal);
    read_lines();
}

/* Reads what the command draws until it ends. Once it has drawn some lines, the terminal gets `columns`, if not 0. */
static void watch(int terminal, pid_t process, unsigned short columns, size_t *before)
{
    size_t length = 0;
    *before = 0;
    for (ssize_t got; (got = read(terminal, screen + length, sizeof screen - 1 - length)) > 0;) {
        length += (size_t)got;
        cr_assert_lt(length, sizeof screen - 1);
        screen[length] = '\0';
        if (columns && !*before && strstr(screen, " left")) {
            resize(terminal, columns);
            *before = length;
        }
    }
    int status;
    cr_assert_eq(waitpid(process, &status, 0), process);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", screen);
    close(terminal);
    read_lines();
}

static void assert_fit(size_t first, size_t columns)
{
    for (size_t i = first; i < line_count; i++) {
        cr_assert_lt(strlen(lines[i]), columns, "%zu columns: %s", columns, lines[i]);
        cr_assert_null(strchr(lines[i], '\033'), "a colour: %s", lines[i] + 1);
    }
}

/* Whether a line has all of these. */
static bool some_line_has(const char *const *texts, size_t count)
{
    for (size_t i = 0; i < line_count; i++) {
        size_t found = 0;
        while (found < count && strstr(lines[i], texts[found]))
            found++;
        if (found == count)
            return true;
    }
    return false;
}

Test(progress, tells_rate_and_time_left_within_the_terminal, .init = cli_begin, .fini = cli_end, .timeout = 120)
{
    static const unsigned short widths[] = { 60, 200 };
    /* At 60 columns, a fast machine's rate leaves no room for the bar. */
    static const char *const all[] = { "epoch 2/2 ", " samples/s, 0:0", " left, loss 0.", "[#", ".] " };
    for (size_t i = 0; i < THAW_COUNT(widths); i++) {
        size_t before;
        const int terminal = open_terminal();
        resize(terminal, widths[i]);
        watch(terminal, start(terminal, 10, false), 0, &before);
        cr_assert_geq(line_count, 3, "%zu lines: %s", line_count, screen);
        assert_fit(0, widths[i]);
        cr_assert(some_line_has(all, widths[i] > 100 ? THAW_COUNT(all) : 3), "%d columns: %s", widths[i],
                  lines[line_count - 2]);
        cr_assert_str_empty(lines[line_count - 1], "the line is not cleared");
    }
}

Test(progress, says_testing_while_it_tests, .init = cli_begin, .fini = cli_end, .timeout = 120)
{
    static const char *const all[] = { "testing, epoch 1/2 [", "]", " samples/s, 0:", " left" };
    const int terminal = open_terminal();
    resize(terminal, 80);
    watch_test(terminal, start_tested(terminal, 8, false, true));
    assert_fit(0, 80);
    cr_assert(some_line_has(all, THAW_COUNT(all)), "%s", screen);
}

Test(progress, drops_what_does_not_fit, .init = cli_begin, .fini = cli_end, .timeout = 120)
{
    static const char *const kept[] = { "epoch 2/2 ", " left" }, *const dropped[] = { "loss" };
    size_t before;
    const int terminal = open_terminal();
    resize(terminal, 30);
    watch(terminal, start(terminal, 4, false), 0, &before);
    assert_fit(0, 30);
    cr_assert(some_line_has(kept, THAW_COUNT(kept)), "%s", lines[line_count - 2]);
    size_t first = 0;
    while (first < line_count && !strstr(lines[first], " left"))
        first++;
    for (size_t i = first; i + 1 < line_count; i++)
        cr_assert(!strstr(lines[i], dropped[0]) || !strstr(lines[i], " left"), "%s", lines[i]);
}

Test(progress, follows_a_window_that_gets_narrower, .init = cli_begin, .fini = cli_end, .timeout = 120)
{
    size_t before, first = 0;
    const int terminal = open_terminal();
    resize(terminal, 120);
    watch(terminal, start(terminal, 10, false), 60, &before);
    cr_assert_gt(before, 0);
    assert_fit(0, 120);
    cr_assert_gt(strlen(lines[0]), 60, "%s", lines[0]);
    /* One line may have been on its way. */
    while (first < line_count && lines[first] < screen + before)
        first++;
    cr_assert_lt(first + 2, line_count, "no line after the window changed");
    assert_fit(first + 1, 60);
}

/* What a program reads must not be drawn over. */
Test(progress, none_in_a_pipe_and_beside_json, .init = cli_begin, .fini = cli_end, .timeout = 120)
{
    size_t before;
    setenv("TERM", "xterm", 1);
    cli_succeed("train --model mlp-500 --data $e --epochs 2 --batch 1 --threads 1");
    cr_assert_null(strchr(cli_run.output, '\033'));
    const int terminal = open_terminal();
    resize(terminal, 80);
    watch(terminal, start(terminal, 1, true), 0, &before);
    cr_assert_eq(line_count, 0, "%s", screen);
    cr_assert_not_null(strstr(screen, "\"event\":\"epoch\""));
}
