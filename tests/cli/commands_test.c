/* The command lines that the documentation shows, on a small data set. */
#include "cli/fixture.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

static bool is_null(const json_t *object, const char *key)
{
    return json_is_null(json_object_get(object, key));
}

Test(commands, train_reports_epochs_and_an_end, .init = cli_begin, .fini = cli_end)
{
    cli_succeed(
        "train --model transfer-cnn --data $a --epochs 2 --batch 16 --optimizer adam:lr=1e-3 --seed 1 --threads 1 "
        "--save $c --json");
    for (int i = 0; i < 2; i++) {
        json_t *epoch = support_json_line(&cli_run, i);
        cli_assert_event(epoch, "epoch");
        cr_assert_eq(support_json_number(epoch, "epoch"), i + 1);
        cr_assert_eq(support_json_number(epoch, "epochs"), 2);
        cr_assert_gt(support_json_number(epoch, "loss"), 0);
        const double accuracy = support_json_number(epoch, "accuracy") * 5 * SUPPORT_PER_CLASS;
        cr_assert(fabs(accuracy - round(accuracy)) < 1e-6, "%g of 60 samples are right", accuracy);
        const double tested = support_json_number(epoch, "test_accuracy") * 5 * SUPPORT_TEST_PER_CLASS;
        cr_assert(fabs(tested - round(tested)) < 1e-6, "%g of 15 samples are right", tested);
        const double seconds = support_json_number(epoch, "seconds");
        cr_assert_gt(seconds, 0);
        cr_assert_float_eq(support_json_number(epoch, "samples_per_second") * seconds, 60, 0.01);
        cr_assert_eq(support_json_number(epoch, "trainable_parameters"), ALL);
        json_decref(epoch);
    }
    json_t *done = support_json_line(&cli_run, 2);
    cli_assert_event(done, "done");
    cr_assert_eq(support_json_number(done, "epoch"), 2);
    cr_assert_geq(support_json_number(done, "gradient_bytes"), 4 * ALL);
    cr_assert_geq(support_json_number(done, "optimizer_state_bytes"), 8 * ALL);
    cr_assert_gt(support_json_number(done, "activation_bytes"), 16 * 26 * 26 * 32 * 4);
    cr_assert_gt(support_json_number(done, "peak_rss_bytes"), 12 * ALL);
    cr_assert_str_eq(json_string_value(json_object_get(done, "saved")), cli_variables[2]);
    cr_assert(json_is_false(json_object_get(done, "stopped")));
    json_decref(done);
    cr_assert_eq(access(cli_variables[2], R_OK), 0);
}

Test(commands, without_test_data_the_test_figures_are_null, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("train --model mlp-500 --data $e --batch 7 --drop-last --threads 1 --json");
    json_t *epoch = support_json_line(&cli_run, 0);
    cr_assert(is_null(epoch, "test_accuracy") && is_null(epoch, "test_loss"));
    json_decref(epoch);
    json_t *done = support_json_line(&cli_run, -1);
    cr_assert(is_null(done, "saved"));
    json_decref(done);
}

Test(commands, one_seed_gives_one_result, .init = cli_begin, .fini = cli_end)
{
    double losses[3];
    static const char *const seeds[] = { "4", "4", "5" };
    for (int i = 0; i < 3; i++) {
        char line[256];
        snprintf(line, sizeof line, "train --model mlp-500 --data $a --batch 16 --threads 1 --json --seed %s",
                 seeds[i]);
        cli_succeed(line);
        losses[i] = cli_final("loss");
    }
    cr_assert(losses[0] == losses[1] && losses[0] != losses[2], "%g %g %g", losses[0], losses[1], losses[2]);
}

/* 60 samples in batches of 16: the last has 12. */
Test(commands, shards_give_the_result_of_whole_batches, .init = cli_begin, .fini = cli_end)
{
    double losses[3], bytes[3];
    static const char *const shards[] = { "", "--shards 4", "--accumulate 4" };
    for (int i = 0; i < 3; i++) {
        char line[256];
        snprintf(line, sizeof line, "train --model transfer-cnn --data $a --epochs 2 --batch 16 --threads 1 --json %s",
                 shards[i]);
        cli_succeed(line);
        losses[i] = cli_final("loss");
        json_t *done = support_json_line(&cli_run, -1);
        bytes[i] = support_json_number(done, "activation_bytes");
        json_decref(done);
    }
    cr_assert_float_eq(losses[1], losses[0], 1e-5, "%.9g, whole %.9g", losses[1], losses[0]);
    cr_assert(losses[1] == losses[2] && bytes[1] == bytes[2]);
    cr_assert_lt(bytes[1], bytes[0] / 2, "%g bytes, whole %g", bytes[1], bytes[0]);
    cli_succeed("plan --model transfer-cnn --batch 16 --shards 4 --threads 1");
    cr_assert_not_null(strstr(cli_run.output, "each of 4 shards of a step; sums of gradients over them"));
    cli_succeed("plan --model transfer-cnn --batch 16 --shards 4 --threads 1 --json");
    json_t *plan = support_json_line(&cli_run, -1);
    cr_assert_eq(support_json_number(plan, "shards"), 4);
    cr_assert_geq(support_json_number(plan, "shard_bytes"), 2 * support_json_number(plan, "gradient_bytes"));
    json_decref(plan);
}

Test(commands, evaluate_finds_what_training_found, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
    const double loss = cli_final("test_loss"), accuracy = cli_final("test_accuracy");
    cli_succeed("evaluate --model transfer-cnn --load $c --data $a --batch 16 --threads 1 --json");
    cr_assert_float_eq(cli_final("loss"), loss, 1e-6 * loss);
    cr_assert_eq(cli_final("accuracy"), accuracy);
    cr_assert_eq(cli_final("samples"), 5 * SUPPORT_TEST_PER_CLASS);
    cli_succeed("evaluate --model transfer-cnn --load $c --data $a --threads 1");
    cr_assert_not_null(strstr(cli_run.output, "on 15 samples"), "%s", cli_run.output);
}

Test(commands, group_settings_reach_their_groups, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("summary --model transfer-cnn --freeze conv* --optimizer sgd:lr=0.5 --group conv2:lr=0.25 "
                "--group dense*:weight_decay=0.1,lr=2 --group dense2:momentum=0.9,optimizer=rmsprop,lr=3 --json");
    static const struct {
        int line;
        const char *name, *optimizer;
        double rate, trains;
    } rows[] = {
        { 1, "conv1", "sgd", 0.5, 0 },
        { 3, "conv2", "sgd", 0.25, 0 },
        { 8, "dense1", "sgd", 2, DENSE1 },
        { 11, "dense2", "rmsprop", 3, DENSE2 },
    };
    for (size_t i = 0; i < THAW_COUNT(rows); i++) {
        json_t *row = support_json_line(&cli_run, rows[i].line);
        cli_assert_event(row, "layer");
        cr_assert_str_eq(json_string_value(json_object_get(row, "name")), rows[i].name);
        cr_assert_str_eq(json_string_value(json_object_get(row, "optimizer")), rows[i].optimizer);
        cr_assert_eq(support_json_number(row, "learning_rate"), rows[i].rate);
        cr_assert_eq(support_json_number(row, "trainable_parameters"), rows[i].trains);
        json_decref(row);
    }
    cr_assert_eq(cli_final("total_parameters"), ALL);
    cr_assert_eq(cli_final("trainable_parameters"), DENSE1 + DENSE2);
    cr_assert_eq(cli_final("non_trainable_parameters"), CONV1 + CONV2);
}

Test(commands, summary_and_plan_as_tables, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("summary --model transfer-cnn --freeze conv*");
    cr_assert_not_null(strstr(cli_run.output, "conv1"));
    cr_assert_not_null(strstr(cli_run.output, "[24, 24, 32]"));
    cr_assert_not_null(strstr(cli_run.output, "600165"));
    cli_succeed("summary --model transfer-cnn --classes 10 --json");
    cr_assert_eq(cli_final("total_parameters"), ALL - DENSE2 + 1290);
    cli_succeed("plan --model transfer-cnn --freeze conv* --batch 128 --threads 1");
    cr_assert_not_null(strstr(cli_run.output, "conv1"));
    cr_assert_not_null(strstr(cli_run.output, "prefix"));
    cli_succeed("plan --model transfer-cnn --inference --freeze * --threads 1");
    cr_assert_not_null(strstr(cli_run.output, "dense2"));
}

Test(commands, plan_says_why_nothing_is_cached, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("plan --model transfer-cnn --freeze conv* --data $a --cache-bytes 1G");
    cr_assert_not_null(strstr(cli_run.output, "(18432 bytes a sample)"));
    cr_assert_null(strstr(cli_run.output, "no feature cache"));
    cli_succeed("plan --model transfer-cnn --freeze conv* --data $a --cache memory --cache-bytes 4K");
    cr_assert_not_null(
        strstr(cli_run.output, "no feature cache: the end of the frozen prefix has 18432 bytes a sample"));
    cli_succeed("plan --model transfer-cnn --freeze conv* --data $a --cache memory --cache-bytes 4K --json");
    cr_assert_eq(cli_final("cached_bytes_per_sample"), 0);
    cr_assert_eq(cli_final("prefix_bytes_per_sample"), 18432);
    support_command(&cli_run, cli_directory,
                    "train --model transfer-cnn --freeze conv* --data $a --cache memory --cache-bytes 4K --epochs 2",
                    cli_variables);
    cr_assert_eq(cli_run.code, 0);
    cr_assert_not_null(strstr(cli_run.errors, "thaw: no feature cache: "), "%s", cli_run.errors);
}

Test(commands, plan_tells_the_prefix_in_json, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("plan --model transfer-cnn --freeze conv* --batch 128 --threads 1 --json");
    json_t *conv1 = support_json_line(&cli_run, 1);
    cli_assert_event(conv1, "node");
    cr_assert_str_eq(json_string_value(json_object_get(conv1, "name")), "conv1");
    cr_assert_str_eq(json_string_value(json_object_get(conv1, "region")), "prefix");
    cr_assert(json_is_false(json_object_get(conv1, "parameter_gradient")));
    json_decref(conv1);
    cr_assert_eq(cli_final("trainable_parameters"), DENSE1 + DENSE2);
    cr_assert_eq(cli_final("cached_bytes_per_sample"), 4608 * 4);
    cr_assert_lt(cli_final("cached_flops"), cli_final("flops"));
    cr_assert_lt(cli_final("flops"), cli_final("unfrozen_flops"));
}

static void assert_trainable(const char *line, size_t expected)
{
    cli_succeed(line);
    cr_assert_eq(cli_final("trainable_parameters"), (double)expected, "%s: %g", line,
                 cli_final("trainable_parameters"));
}

/* The blocks from the top are dense2, dense1, conv2 and conv1. */
Test(commands, plan_shows_an_epoch_of_a_strategy, .init = cli_begin, .fini = cli_end)
{
#define STRATEGY "plan --model transfer-cnn --classes 5 --threads 1 --json "
    assert_trainable(STRATEGY "--strategy gradual", DENSE2);
    assert_trainable(STRATEGY "--strategy gradual --epoch 2", DENSE2 + DENSE1);
    assert_trainable(STRATEGY "--strategy gradual --epoch 3", ALL - CONV1);
    cr_assert_eq(cli_final("epoch"), 3);
    cr_assert_eq(cli_final("epochs"), 3);
    assert_trainable(STRATEGY "--strategy head --head dense*", DENSE2 + DENSE1);
    assert_trainable(STRATEGY "--strategy lp-ft --epochs 10 --epoch 5", DENSE2);
    assert_trainable(STRATEGY "--strategy lp-ft --epochs 10 --epoch 6", ALL);
    assert_trainable(STRATEGY "--freeze * --unfreeze dense2 --unfreeze conv2@2", DENSE2);
    assert_trainable(STRATEGY "--freeze * --unfreeze dense2 --unfreeze conv2@2 --epoch 2", DENSE2 + CONV2);
    char file[SUPPORT_PATH_BYTES], line[SUPPORT_PATH_BYTES + 160];
    static const char own[] = "{\"strategies\": [{\"name\": \"mine\", \"rules\": ["
                              "{\"epoch\": 2, \"pattern\": \"@bottom:1\", \"action\": \"freeze\"}]}]}";
    support_write_file(support_path(file, cli_directory, "own.json"), own, sizeof own - 1);
    snprintf(line, sizeof line, STRATEGY "--strategy-file %s --epoch 1", file);
    assert_trainable(line, ALL);
    snprintf(line, sizeof line, STRATEGY "--strategy-file %s --strategy mine --epoch 2", file);
    assert_trainable(line, ALL - CONV1);
    cli_succeed("plan --model transfer-cnn --strategy gradual --epoch 2 --threads 1");
    cr_assert(strncmp(cli_run.output, "epoch 2 of 2, strategy gradual\n", 31) == 0, "%s", cli_run.output);
}
