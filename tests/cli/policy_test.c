/* thaw finetune --policy, thaw policies, and thaw bench --policies. */
#include <stdio.h>
#include <string.h>
#include <thaw/policy_module.h>

#include "cli/fixture.h"
#include "support/support.h"

#define EAGER "--policy auto:exchange=1000,moving=1000,tolerance=1 "

Test(policy, lists_them_as_they_are, .init = cli_begin, .fini = cli_end)
{
    const thaw_policy_module *module;
    cli_succeed("policies");
    for (size_t i = 0; (module = thaw_policy_builtin(i)); i++) {
        support_assert_says(cli_run.output, module->name);
        support_assert_says(cli_run.output, module->description);
    }
    support_assert_says(cli_run.output, "percentile=50,every=0\n");
    cli_succeed("policies --json");
    for (int i = 0; (module = thaw_policy_builtin((size_t)i)); i++) {
        json_t *object = support_json_line(&cli_run, i);
        cli_assert_event(object, "policy");
        cr_assert_str_eq(json_string_value(json_object_get(object, "name")), module->name);
        cr_assert_eq(json_array_size(json_object_get(object, "settings")), module->setting_count);
        json_decref(object);
    }
}

/* After the first epoch all but the head freeze; the third one starts at the feature cache. */
Test(policy, tells_what_it_does_and_why, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
    support_command(&cli_run, cli_directory,
                    "finetune --model transfer-cnn --load $c --data $b --epochs 3 --batch 16 " EAGER, cli_variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    support_assert_says(cli_run.output, "policy auto:exchange=1000,moving=1000,tolerance=1; ");
    support_assert_says(cli_run.output, ": freeze conv1 to dense1: ");
    support_assert_says(cli_run.output, "of what is still learned, for ");
    support_assert_says(cli_run.output, "645 parameters train\n");
    support_command(&cli_run, cli_directory,
                    "finetune --model transfer-cnn --load $c --data $b --epochs 3 --batch 16 --json " EAGER,
                    cli_variables);
    json_t *action = support_json_line(&cli_run, 1), *epoch = support_json_line(&cli_run, 3);
    cli_assert_event(action, "action");
    cr_assert_str_eq(json_string_value(json_object_get(action, "action")), "freeze");
    cr_assert_str_eq(json_string_value(json_object_get(action, "first_name")), "conv1");
    cr_assert_str_eq(json_string_value(json_object_get(action, "last_name")), "dense1");
    cr_assert_eq(support_json_number(action, "epoch"), 2);
    cr_assert_eq(support_json_number(action, "trainable_parameters"), DENSE2);
    cr_assert_not_null(strstr(json_string_value(json_object_get(action, "reason")), "feature cache"));
    cli_assert_event(epoch, "epoch");
    cr_assert(json_is_true(json_object_get(epoch, "cached")));
    json_decref(action);
    json_decref(epoch);
}

/* With the folders of the log, the checkpoints and the report. */
static void remove_folders(void)
{
    support_remove_tree(cli_directory);
}

Test(policy, logs_its_actions_and_goes_on, .init = cli_begin, .fini = remove_folders)
{
    char line[2048], path[SUPPORT_PATH_BYTES];
    snprintf(line, sizeof line,
             "train --model transfer-cnn --data $a --batch 16 --policy badam:every=3 --log %s/log --log-every 1 "
             "--checkpoint %s/run --epochs 2",
             cli_directory, cli_directory);
    support_command(&cli_run, cli_directory, line, cli_variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    support_path(path, cli_directory, "log/actions.csv");
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    char row[512];
    size_t rows = 0, step, last = 0;
    cr_assert_not_null(fgets(row, sizeof row, file));
    support_assert_says(row, "step,epoch,action,first,last,first_name,last_name,value,trainable_parameters,reason\n");
    for (; fgets(row, sizeof row, file); rows++) {
        cr_assert_eq(sscanf(row, "%zu,", &step), 1);
        cr_assert_geq(step, last);
        cr_assert_eq(step % 3, 0U);
        last = step;
    }
    fclose(file);
    cr_assert_gt(rows, 3U);
    /* The log of a finished run that goes on has no row twice. */
    strcat(line, " --epochs 3 --resume");
    support_command(&cli_run, cli_directory, line, cli_variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    file = fopen(path, "r");
    cr_assert_not_null(file);
    char before[512] = "";
    for (rows = 0; fgets(row, sizeof row, file); rows++) {
        cr_assert_str_neq(row, before);
        memcpy(before, row, sizeof before);
    }
    fclose(file);
    cr_assert_gt(rows, 5U);
}

static void refuse(const char *line, const char *text)
{
    support_command(&cli_run, cli_directory, line, cli_variables);
    cr_assert_eq(cli_run.code, 2, "%s: exit code %d, %s", line, cli_run.code, cli_run.errors);
    support_assert_says(cli_run.errors, text);
}

#define TRAIN "train --model transfer-cnn --data $a "

Test(policy, refuses_what_cannot_be, .init = cli_begin, .fini = cli_end)
{
    refuse(TRAIN "--policy frieze", "thaw: --policy: unknown policy \"frieze\"");
    refuse(TRAIN "--policy auto:tolerance=2", "thaw: --policy: auto: tolerance is 2, must be from 0 to 1");
    refuse(TRAIN "--policy auto --strategy head", "thaw: --policy: a run has a policy or a strategy, not both");
    refuse(TRAIN "--policy auto --freeze conv1@2", "thaw: --freeze: a run with --policy has no rules with an epoch");
    refuse("bench --model transfer-cnn --data $a --policies auto,frieze", "thaw: --policies: unknown policy");
}

/* Strips of layers by epoch, and a line an action. */
Test(policy, stands_beside_strategies_in_a_comparison, .init = cli_begin, .fini = remove_folders)
{
    char line[2048], path[SUPPORT_PATH_BYTES];
    snprintf(line, sizeof line,
             "bench --model transfer-cnn --data $a --batch 16 --epochs 3 --seeds 1 --strategies head --policies "
             "auto:exchange=1000,moving=1000,tolerance=1,random:chance=1 --report %s/report --json",
             cli_directory);
    support_command(&cli_run, cli_directory, line, cli_variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    support_path(path, cli_directory, "report/results.json");
    json_t *results = json_load_file(path, 0, NULL);
    cr_assert_not_null(results);
    const json_t *runs = json_object_get(results, "runs");
    cr_assert_eq(json_array_size(runs), 3U);
    cr_assert_eq(json_array_size(json_object_get(results, "strategies")), 3U);
    for (size_t i = 0; i < 3; i++) {
        const json_t *run = json_array_get(runs, i), *actions = json_object_get(run, "actions");
        const char *name = json_string_value(json_object_get(run, "strategy"));
        if (strcmp(name, "head") == 0) {
            cr_assert_null(actions);
            continue;
        }
        cr_assert_eq(json_array_size(actions), strncmp(name, "auto", 4) == 0 ? 1U : 2U);
        cr_assert_str_eq(json_string_value(json_object_get(json_array_get(actions, 0), "first_name")), "conv1");
        const json_t *states = json_object_get(json_array_get(json_object_get(run, "epochs"), 1), "layer_states");
        cr_assert_str_eq(json_string_value(json_array_get(states, 0)), "fused");
    }
    json_decref(results);
    support_path(path, cli_directory, "report/index.html");
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    static char page[1 << 20];
    page[fread(page, 1, sizeof page - 1, file)] = '\0';
    fclose(file);
    support_assert_says(page, "<summary>What <b>random:chance=1</b> did with seed 0, and why</summary>");
    support_assert_says(page, "<li>Epoch 2, step ");
    support_assert_says(page, "by chance</li>");
}
