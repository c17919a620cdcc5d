/* The progress line of thaw evaluate, predict, embed and lr-find: drawn on a terminal, and nowhere else. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "data/folder_fixture.h"

enum { IMAGES = 40, SCREEN_BYTES = 1 << 14 };

static char screen[SCREEN_BYTES], data[SUPPORT_PATH_BYTES + 64], weights[SUPPORT_PATH_BYTES],
    images[SUPPORT_PATH_BYTES];
static const char *const variables[] = { data, weights, images };

static void begin(void)
{
    support_run run;
    folder_set_up();
    for (int i = 0; i < IMAGES; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%c/%02d", 'a' + i % 2, i);
        folder_put_image(name, 5 * i);
    }
    folder_join(images, "images");
    folder_join(weights, "weights");
    snprintf(data, sizeof data, "folder:%.480s;size=28;channels=1;val=0", images);
    support_command(&run, folder_path, "train --model mlp-500 --data $a --threads 1 --save $b", variables);
    cr_assert_eq(run.code, 0, "%s", run.errors);
}

TestSuite(answer_progress, .init = begin, .fini = folder_tear_down, .timeout = 120);

/* Runs a command with standard error on a terminal, and standard output on it, too, or nowhere. */
static void watch(const char *const *words, bool output)
{
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    cr_assert_eq(ioctl(terminal, TIOCSWINSZ, &(struct winsize){ .ws_row = 24, .ws_col = 80 }), 0);
    const int errors = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    fflush(NULL);
    const pid_t process = fork();
    cr_assert_geq(process, 0);
    if (process == 0) {
        const int nothing = open("/dev/null", O_WRONLY);
        if (dup2(output ? errors : nothing, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0 ||
            setenv("TERM", "xterm", 1) != 0)
            _exit(126);
        execv(getenv("THAW_COMMAND"), (char *const *)(uintptr_t)words);
        _exit(127);
    }
    close(errors);
    size_t length = 0;
    for (ssize_t got;
         length < sizeof screen - 1 && (got = read(terminal, screen + length, sizeof screen - 1 - length)) > 0;)
        length += (size_t)got;
    screen[length] = '\0';
    int status;
    cr_assert_eq(waitpid(process, &status, 0), process);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", screen);
    close(terminal);
}

Test(answer_progress, is_drawn_on_a_terminal_and_cleared)
{
    const char *const evaluate[] = { "thaw", "evaluate", "--load", weights, "--data", data, "--batch", "8", NULL };
    const char *const predict[] = { "thaw", "predict", "--load", weights, "--batch", "8", images, NULL };
    const char *const embed[] = {
        "thaw", "embed", "--load", weights, "--layer", "relu1", "--batch", "8", images, NULL
    };
    const char *const find[] = { "thaw", "lr-find", "--load", weights, "--data", data, "--batch", "8", NULL };
    const struct {
        const char *const *words;
        const char *label;
    } cases[] = {
        { evaluate, "evaluating" }, { predict, "predicting" }, { embed, "embedding" }, { find, "finding a rate" }
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        watch(cases[i].words, false);
        cr_assert_eq(strncmp(screen, "\r\033[K", 4), 0, "%s", screen);
        cr_assert_eq(strncmp(screen + 4, cases[i].label, strlen(cases[i].label)), 0, "%s", screen + 4);
        const char *last = strrchr(screen, '\r');
        cr_assert_str_eq(last, "\r\033[K", "the line is not cleared");
    }
}

Test(answer_progress, is_not_drawn_between_answers_or_into_files)
{
    const char *const predict[] = { "thaw", "predict", "--load", weights, "--batch", "8", images, NULL };
    support_run run;
    watch(predict, true);
    cr_assert_not_null(strstr(screen, "images/a/00: "));
    cr_assert_null(strchr(screen, '\033'), "%s", screen);
    setenv("TERM", "xterm", 1);
    support_command(&run, folder_path, "evaluate --load $b --data $a --batch 8", variables);
    cr_assert(run.code == 0 && !*run.errors, "%s", run.errors);
}
