/* thaw demo, and what a signal does. */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "cli/fixture.h"
#include "support/support.h"

static void wait_for_output(void)
{
    char path[SUPPORT_PATH_BYTES], byte;
    support_path(path, cli_directory, "output");
    for (int i = 0; i < 6000 && support_read_file(path, &byte, 1) < 1; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
}

Test(signals, an_interrupted_run_saves_what_it_has, .init = cli_begin, .fini = cli_end)
{
    const pid_t process = support_command_start(
        cli_directory, "train --model transfer-cnn --data $a --epochs 1000000 --batch 16 --threads 1 --json --save $c",
        cli_variables);
    wait_for_output();
    kill(process, SIGINT);
    support_command_finish(&cli_run, cli_directory, process);
    cr_assert_eq(cli_run.code, 130, "exit code %d: %s", cli_run.code, cli_run.errors);
    json_t *done = support_json_line(&cli_run, -1);
    cli_assert_event(done, "done");
    cr_assert(json_is_true(json_object_get(done, "stopped")));
    json_decref(done);
    cli_succeed("evaluate --model transfer-cnn --load $c --data $a --threads 1");
}

Test(demo, compares_ways_to_transfer, .init = cli_begin, .fini = cli_end, .timeout = 250)
{
    enum { ROWS = 11 };
    cli_succeed("demo --data $f --threads 1 --json");
    json_t *rows[ROWS];
    for (int i = 0; i < ROWS; i++) {
        rows[i] = support_json_line(&cli_run, i);
        cli_assert_event(rows[i], "run");
        cr_assert_eq(json_array_size(json_object_get(rows[i], "epoch_seconds")), 3);
        cr_assert_geq(support_json_number(rows[i], "test_accuracy"), 0);
    }
    /* Row 0 is pre-training; then all trainable, frozen, frozen and cached. */
    cr_assert_eq(support_json_number(rows[1], "trainable_parameters"), ALL);
    cr_assert_eq(support_json_number(rows[2], "trainable_parameters"), DENSE1 + DENSE2);
    cr_assert_eq(support_json_number(rows[2], "cache_bytes"), 0);
    cr_assert_gt(support_json_number(rows[3], "cache_bytes"), 0);
    cr_assert_eq(support_json_number(rows[2], "loss"), support_json_number(rows[3], "loss"));
    cr_assert_eq(support_json_number(rows[2], "test_accuracy"), support_json_number(rows[3], "test_accuracy"));
    for (int i = 0; i < ROWS; i++)
        json_decref(rows[i]);
    json_t *done = support_json_line(&cli_run, ROWS);
    cli_assert_event(done, "done");
    json_decref(done);
}

Test(demo, prints_plain_lines, .init = cli_begin, .fini = cli_end, .timeout = 250)
{
    cli_succeed("demo --data $f --threads 1");
    static const char *const parts[] = { "all trainable",
                                         "convolutions frozen, features cached",
                                         "gradual unfreezing",
                                         "discriminative learning rates",
                                         "head Adam, convolutions SGD at a tenth",
                                         "from scratch",
                                         "20 a class: convolutions frozen",
                                         "The plan of \"convolutions frozen\":",
                                         "\nFreezing the convolutions makes an epoch" };
    for (size_t i = 0; i < THAW_COUNT(parts); i++)
        cr_assert_not_null(strstr(cli_run.output, parts[i]), "\"%s\" is not in\n%s", parts[i], cli_run.output);
    cr_assert(!strchr(cli_run.output, '\r') && !strchr(cli_run.output, '\033'));
}
