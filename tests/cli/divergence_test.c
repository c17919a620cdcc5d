/* Runs that diverge say so, in a table that stays in shape. */
#include <stdio.h>
#include <string.h>

#include "data/folder_fixture.h"
#include "support/command.h"
#include "support/support.h"

static support_run run;
static char data[SUPPORT_PATH_BYTES + 64];

static void begin(void)
{
    folder_set_up();
    for (int i = 0; i < 40; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/%s/%d", i % 2 ? "dark" : "bright", i);
        folder_put_image(name, i % 2 ? 100 - i : 130 + i);
    }
    snprintf(data, sizeof data, "folder:%s/images;size=28;channels=1", folder_path);
}

TestSuite(divergence, .init = begin, .fini = folder_tear_down);

static void train(const char *line, const char *says)
{
    support_command(&run, folder_path, line, (const char *const[]){ data });
    cr_assert_eq(run.code, 1, "%s: exit code %d\n%s", line, run.code, run.errors);
    cr_assert_not_null(strstr(run.errors, says), "%s lacks %s", run.errors, says);
}

/* The length of a line of the table up to its last column. */
static size_t width(const char *line)
{
    static const char *const ends[] = { " trained", " 599778" };
    const size_t length = strcspn(line, "\n");
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const char *end = strstr(line, ends[i]);
        if (end && end < line + length)
            return (size_t)(end - line) + strlen(ends[i]);
    }
    return 0;
}

/* The first step makes the weights huge: losses stay finite numbers, gradients do not. */
Test(divergence, of_gradients_costs_the_exit_code_and_not_the_table)
{
    train("train --model transfer-cnn --data $a --epochs 2 --batch 4 --threads 1 --optimizer sgd:lr=1e30",
          "thaw: training: the run has diverged: the gradients of all 8 steps of epoch 2 were not finite");
    const char *header = strstr(run.output, "  epoch "), *rows = strchr(header, '\n') + 1;
    for (int i = 0; i < 2; i++, rows = strchr(rows, '\n') + 1)
        cr_assert_eq(width(rows), width(header), "%s", run.output);
}

Test(divergence, of_the_loss_ends_the_run)
{
    train("train --model transfer-cnn --data $a --epochs 2 --batch 4 --threads 1 --optimizer sgd:lr=1e12",
          "thaw: training: the loss is nan: the learning rate may be too high");
}
