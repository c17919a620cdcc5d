/* Runs of the command that stop and continue: --checkpoint, --checkpoint-every, --keep, --resume, and signals. */
#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "support/support.h"

static char folder[SUPPORT_PATH_BYTES], whole[SUPPORT_PATH_BYTES], parts[SUPPORT_PATH_BYTES];

/* Beside those of the fixture: $g the folder, $h and $i the weights of a whole run and of one in parts. */
static const char *variables[9];

static void begin(void)
{
    cli_begin();
    memcpy(variables, cli_variables, sizeof cli_variables);
    variables[6] = support_path(folder, cli_directory, "run");
    variables[7] = support_path(whole, cli_directory, "whole.safetensors");
    variables[8] = support_path(parts, cli_directory, "parts.safetensors");
}

static void end(void)
{
    if (access(folder, F_OK) == 0)
        support_remove_tree(folder);
    cli_end();
}

static void run(const char *line)
{
    support_command(&cli_run, cli_directory, line, variables);
}

static void succeed(const char *line)
{
    run(line);
    cr_assert_eq(cli_run.code, 0, "%s: %s", line, cli_run.errors);
}

static void assert_same_weights(void)
{
    enum { MOST = 8 << 20 };
    char *left = malloc(MOST), *right = malloc(MOST);
    const long count = support_read_tensors(whole, left, MOST);
    cr_assert(count > 0 && count < MOST);
    cr_assert_eq(support_read_tensors(parts, right, MOST), count);
    cr_assert_eq(memcmp(left, right, (size_t)count), 0, "the weights differ");
    free(left);
    free(right);
}

#define TRAIN "train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --schedule cosine --epochs "

Test(checkpoint, a_run_continues_after_its_end, .init = begin, .fini = end)
{
    succeed("train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --epochs 4 --save $h");
    succeed("train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --epochs 2 --checkpoint $g --resume");
    cr_assert_not_null(strstr(cli_run.errors, "holds no checkpoint: the run starts anew"), "%s", cli_run.errors);
    cr_assert_not_null(strstr(cli_run.output, "the checkpoint is "), "%s", cli_run.output);
    succeed(
        "train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --epochs 4 --checkpoint $g --resume --save $i");
    cr_assert_not_null(strstr(cli_run.errors, "the run continues from "), "%s", cli_run.errors);
    cr_assert_not_null(strstr(cli_run.errors, "epochs: 2 in the checkpoint, 4 now"), "%s", cli_run.errors);
    cr_assert_null(strstr(cli_run.output, " 2/4 "), "an epoch was trained twice: %s", cli_run.output);
    assert_same_weights();
}

Test(checkpoint, so_many_files_stay, .init = begin, .fini = end)
{
    succeed(TRAIN "2 --checkpoint $g --checkpoint-every 3steps --keep 2");
    cr_assert_eq(support_count_entries(folder), 2);
    char path[SUPPORT_PATH_BYTES];
    cr_assert_eq(access(support_path(path, folder, "checkpoint-000000000016.safetensors"), F_OK), 0);
    support_remove_tree(folder);
    succeed(TRAIN "5 --checkpoint $g --checkpoint-every 2epochs");
    cr_assert_eq(support_count_entries(folder), 3, "after epochs 2, 4 and 5");
    support_remove_tree(folder);
    succeed(TRAIN "1 --checkpoint $g --checkpoint-every 1h --json");
    cr_assert_eq(support_count_entries(folder), 1);
    json_t *done = support_json_line(&cli_run, -1);
    const char *named = json_string_value(json_object_get(done, "checkpoint"));
    cr_assert(named && strncmp(named, folder, strlen(folder)) == 0);
    json_decref(done);
}

Test(checkpoint, another_run_is_refused, .init = begin, .fini = end)
{
    succeed(TRAIN "1 --checkpoint $g");
    run(TRAIN "1 --checkpoint $g");
    cr_assert_eq(cli_run.code, 1);
    cr_assert_not_null(strstr(cli_run.errors, "holds checkpoints of a run"), "%s", cli_run.errors);
    run(TRAIN "2 --checkpoint $g --resume --optimizer sgd");
    cr_assert_eq(cli_run.code, 1);
    cr_assert_not_null(strstr(cli_run.errors, "adam:lr="), "%s", cli_run.errors);
    run("train --model mlp-512 --data $f --threads 1 --seed 3 --batch 16 --schedule cosine --checkpoint $g --resume");
    cr_assert_eq(cli_run.code, 1);
    cr_assert_not_null(strstr(cli_run.errors, "mlp-500 in the checkpoint, mlp-512 here"), "%s", cli_run.errors);
    run(TRAIN "1 --checkpoint /proc/nothing/there");
    cr_assert_eq(cli_run.code, 1);
    cr_assert_not_null(strstr(cli_run.errors, "cannot make the folder"), "%s", cli_run.errors);
}

/* ---------------------------------------------------------------- the best epoch */

#define BEST \
    "train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --optimizer sgd:lr=0.02 --epochs 12 --json "

/* The largest of the figures in the epochs' lines, the first of them if several are as large. */
static int find_best(const char *key, int sign, int *epochs)
{
    double best = 0;
    int at = 0;
    *epochs = 0;
    for (int i = 0;; i++) {
        json_t *line = support_json_line(&cli_run, i);
        if (strcmp(json_string_value(json_object_get(line, "event")), "epoch") != 0) {
            json_decref(line);
            return at;
        }
        const double figure = sign * support_json_number(line, key);
        if (!at || figure > best) {
            best = figure;
            at = i + 1;
        }
        cr_assert_eq((int)support_json_number(line, "best_epoch"), at, "%s in epoch %d", key, i + 1);
        cr_assert_eq(support_json_number(line, "best_value"), sign * best);
        json_decref(line);
        ++*epochs;
    }
}

Test(checkpoint, the_best_weights_stay, .init = begin, .fini = end)
{
    int epochs;
    succeed(BEST "--best $i --patience 2");
    const int best = find_best("test_accuracy", 1, &epochs);
    json_t *done = support_json_line(&cli_run, -1);
    const double accuracy = support_json_number(done, "best_value");
    cr_assert_str_eq(json_string_value(json_object_get(done, "monitor")), "test accuracy");
    cr_assert_eq((int)support_json_number(done, "best_epoch"), best);
    cr_assert_eq((int)support_json_number(done, "best_saved"), best);
    cr_assert_eq(json_is_true(json_object_get(done, "ended_early")), epochs < 12);
    cr_assert_eq(epochs, best + 2 < 12 ? best + 2 : 12, "the best is epoch %d, the last is %d", best, epochs);
    json_decref(done);
    succeed("evaluate --model mlp-500 --data $f --threads 1 --batch 16 --load $i --json");
    json_t *line = support_json_line(&cli_run, -1);
    cr_assert_eq(support_json_number(line, "accuracy"), accuracy);
    json_decref(line);
    char all[256];
    snprintf(all, sizeof all,
             "train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --optimizer sgd:lr=0.02 "
             "--epochs %d --save $h",
             best);
    succeed(all);
    assert_same_weights();
}

Test(checkpoint, the_best_by_a_loss, .init = begin, .fini = end)
{
    int epochs;
    succeed(BEST "--best $i --monitor test-loss");
    find_best("test_loss", -1, &epochs);
    cr_assert_eq(epochs, 12);
    run("train --model mlp-500 --data $e --epochs 3 --best $i --monitor test-accuracy");
    cr_assert_eq(cli_run.code, 2);
    cr_assert_not_null(strstr(cli_run.errors, "thaw: --monitor: needs test data"), "%s", cli_run.errors);
    succeed("train --model mlp-500 --data $e --threads 1 --batch 16 --epochs 3 --best $i --patience 2");
    cr_assert_not_null(strstr(cli_run.output, "best epoch 3: loss "), "%s", cli_run.output);
    cr_assert_not_null(strstr(cli_run.output, "; saved "), "%s", cli_run.output);
}

/* A run that is cut and continues ends after the same epoch, with the same best weights. */
Test(checkpoint, a_run_continues_to_its_early_end, .init = begin, .fini = end)
{
    succeed(BEST "--best $h --patience 2");
    json_t *whole_end = support_json_line(&cli_run, -1);
    const int ended = (int)support_json_number(whole_end, "epoch");
    json_decref(whole_end);
    succeed("train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --optimizer sgd:lr=0.02 --epochs 2 "
            "--checkpoint $g --best $i");
    run(BEST "--best $i --patience 2 --checkpoint $g --resume");
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    json_t *done = support_json_line(&cli_run, -1);
    cr_assert_eq((int)support_json_number(done, "epoch"), ended);
    json_decref(done);
    assert_same_weights();
}

/* Until it prints, which is when it heeds signals. */
static void wait_for_output(void)
{
    char path[SUPPORT_PATH_BYTES], byte;
    support_path(path, cli_directory, "output");
    for (int i = 0; i < 6000 && support_read_file(path, &byte, 1) < 1; i++)
        nanosleep(&(struct timespec){ .tv_nsec = 5000000 }, NULL);
}

/* Forty epochs in parts, each of which a signal stops. */
Test(checkpoint, a_signal_saves_and_the_next_run_goes_on, .init = begin, .fini = end)
{
    static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
    succeed(TRAIN "40 --save $h");
    int stops = 0;
    for (size_t i = 0; i < THAW_COUNT(signals); i++) {
        const pid_t process =
            support_command_start(cli_directory, TRAIN "40 --checkpoint $g --checkpoint-every 1steps --resume",
                                  variables, -1);
        wait_for_output();
        nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
        kill(process, signals[i]);
        support_command_finish(&cli_run, cli_directory, process);
        cr_assert(cli_run.code == 0 || cli_run.code == 128 + signals[i], "exit code %d: %s", cli_run.code,
                  cli_run.errors);
        stops += cli_run.code != 0;
        if (cli_run.code)
            cr_assert_not_null(strstr(cli_run.output, "continue with the same command and --resume"));
    }
    cr_assert_gt(stops, 0, "no signal came in time");
    succeed(TRAIN "40 --checkpoint $g --resume --save $i");
    assert_same_weights();
}
