#include "cli/fixture.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <thaw/base.h>

char cli_directory[SUPPORT_PATH_BYTES];
static char source_data[6144], target_data[6144], source[SUPPORT_PATH_BYTES], tuned[SUPPORT_PATH_BYTES];
static char alone[2048], all_data[4096];
const char *const cli_variables[6] = { source_data, target_data, source, tuned, alone, all_data };

support_run cli_run;

/* Whoever runs the tests in the background may ignore signals, which the command would inherit. */
static void heed_signals(void)
{
    static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
    for (size_t i = 0; i < THAW_COUNT(signals); i++)
        signal(signals[i], SIG_DFL);
}

void cli_begin(void)
{
    heed_signals();
    const char *root = cli_directory;
    support_make_directory(cli_directory);
    support_write_images(cli_directory);
    snprintf(alone, sizeof alone, "idx:%s/train-images,%s/train-labels", root, root);
    snprintf(all_data, sizeof all_data, "%s;test=%s/test-images,%s/test-labels", alone, root, root);
    snprintf(source_data, sizeof source_data, "%s;classes=0-4", all_data);
    snprintf(target_data, sizeof target_data, "%s;classes=5-9", all_data);
    support_path(source, cli_directory, "source.safetensors");
    support_path(tuned, cli_directory, "tuned.safetensors");
}

void cli_end(void)
{
    support_remove_directory(cli_directory);
}

size_t cli_take_warning(char *errors)
{
    static const char *const warnings[] = { "thaw: warning: dropout1: this dropout does nothing",
                                            "thaw: warning: dropout2: this dropout does nothing" };
    size_t count = 0;
    for (size_t i = 0; i < THAW_COUNT(warnings); i++) {
        char *found = strstr(errors, warnings[i]);
        if (!found)
            continue;
        const char *rest = found + strcspn(found, "\n") + 1;
        memmove(found, rest, strlen(rest) + 1);
        count++;
    }
    return count;
}

void cli_succeed(const char *line)
{
    support_command(&cli_run, cli_directory, line, cli_variables);
    cli_take_warning(cli_run.errors);
    cr_assert_eq(cli_run.code, 0, "%s: exit code %d\n%s", line, cli_run.code, cli_run.errors);
    cr_assert_str_empty(cli_run.errors, "%s: %s", line, cli_run.errors);
}

void cli_pretrain(void)
{
    cli_succeed("train --model transfer-cnn --data $a --epochs 1 --batch 16 --optimizer adam:lr=1e-3 --seed 1 "
                "--threads 1 --save $c --json");
}

double cli_final(const char *key)
{
    json_t *done = support_json_line(&cli_run, -1);
    const double value = support_json_number(done, key);
    json_decref(done);
    return value;
}

void cli_assert_event(const json_t *object, const char *event)
{
    cr_assert_str_eq(json_string_value(json_object_get(object, "event")), event);
}

void cli_assert_trains(int index, double parameters)
{
    json_t *epoch = support_json_line(&cli_run, index);
    cli_assert_event(epoch, "epoch");
    const double found = support_json_number(epoch, "trainable_parameters");
    cr_assert_eq(found, parameters, "epoch %d trains %g", index + 1, found);
    json_decref(epoch);
}
