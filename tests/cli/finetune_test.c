/* thaw finetune, on a small data set. */
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

/* Whether a parameter has the same bytes in $c and $d. */
static bool same_in_files(const char *name)
{
    thaw_context *context = support_context(1);
    thaw_model *models[2];
    const char *const files[2] = { cli_variables[2], cli_variables[3] };
    const float *values[2];
    size_t count = 0;
    for (int i = 0; i < 2; i++) {
        assert_ok(context, thaw_model_create(context, &models[i]));
        assert_ok(context, thaw_zoo_build(models[i], "transfer-cnn", 5));
        assert_ok(context, thaw_weights_load(models[i], files[i], NULL, NULL));
        const thaw_parameter *parameter = thaw_model_find_parameter(models[i], name);
        cr_assert_not_null(parameter, "%s", name);
        values[i] = thaw_parameter_data(parameter);
        count = thaw_shape_count(thaw_parameter_shape(parameter));
    }
    const bool same = memcmp(values[0], values[1], count * sizeof(float)) == 0;
    thaw_model_destroy(models[0]);
    thaw_model_destroy(models[1]);
    thaw_context_destroy(context);
    return same;
}

Test(finetune, finetune_freezes_and_thaws_as_told, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
    cli_succeed(
        "finetune --model transfer-cnn --load $c --reset dense* --data $b --freeze conv* "
        "--group dense2:lr=1e-2,optimizer=sgd,momentum=0.9 --unfreeze conv2@2 --epochs 3 --batch 16 --threads 1 "
        "--json --save $d");
    cli_assert_trains(0, DENSE1 + DENSE2);
    cli_assert_trains(1, CONV2 + DENSE1 + DENSE2);
    cli_assert_trains(2, CONV2 + DENSE1 + DENSE2);
    /* Adam keeps two floats a parameter, SGD with momentum one. */
    cr_assert_geq(cli_final("optimizer_state_bytes"), 8 * (CONV2 + DENSE1) + 4 * DENSE2);
    cr_assert_lt(cli_final("optimizer_state_bytes"), 8 * (CONV2 + DENSE1 + DENSE2));
    cr_assert(same_in_files("conv1.weight") && same_in_files("conv1.bias"));
    cr_assert(!same_in_files("conv2.weight"));
    cr_assert(!same_in_files("dense1.weight"));
}

Test(finetune, freezing_by_epoch_works_the_other_way_too, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("train --model transfer-cnn --data $a --freeze-before conv2 --freeze conv2@2 --epochs 2 --batch 16 "
                "--threads 1 --json --cache-bytes 0");
    cli_assert_trains(0, CONV2 + DENSE1 + DENSE2);
    cli_assert_trains(1, DENSE1 + DENSE2);
}

Test(finetune, the_cache_changes_no_figure, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
    static const char *const budgets[] = { "0", "64M" };
    double losses[2], cached[2];
    for (int i = 0; i < 2; i++) {
        char line[512];
        snprintf(line, sizeof line,
                 "finetune --model transfer-cnn --load $c --data $a --freeze conv* --epochs 2 --batch 16 --threads 1 "
                 "--json --cache-bytes %s",
                 budgets[i]);
        cli_succeed(line);
        losses[i] = cli_final("loss");
        cached[i] = cli_final("cache_bytes");
    }
    cr_assert_eq(losses[0], losses[1]);
    cr_assert(cached[0] == 0 && cached[1] >= 60 * 4608 * 4, "%g and %g bytes", cached[0], cached[1]);
}

Test(finetune, a_reset_head_may_have_another_number_of_classes, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
    support_command(&cli_run, cli_directory, "finetune --model transfer-cnn --load $c --data $f --threads 1",
                    cli_variables);
    cr_assert_eq(cli_run.code, 1);
    cr_assert_not_null(strstr(cli_run.errors, "dense2.weight"), "%s", cli_run.errors);
    cli_succeed("finetune --model transfer-cnn --load $c --data $f --threads 1 --reset dense2 --batch 16 --json");
    cr_assert_eq(cli_final("trainable_parameters"), ALL - DENSE2 + 128 * 10 + 10);
    support_command(&cli_run, cli_directory,
                    "finetune --model transfer-cnn --load $c --data $f --threads 1 --reset dense1", cli_variables);
    cr_assert_eq(cli_run.code, 1, "another reset excuses nothing: %s", cli_run.errors);
}

/* Adapters alone train; they are saved beside their weight, or baked into it. */
Test(finetune, adapters_train_and_merge, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
    cli_succeed("finetune --model transfer-cnn --load $c --data $a --freeze * --lora dense1.weight:rank=2,alpha=4 "
                "--batch 16 --threads 1 --json --save $d");
    cli_assert_trains(0, 2 * (4608 + 128));
    cr_assert_eq(cli_final("gradient_bytes"), 4 * 2 * (4608 + 128));
    cli_succeed("finetune --model transfer-cnn --load $c --data $a --freeze * --lora dense1.weight:rank=2,alpha=4 "
                "--batch 16 --threads 1 --json --merge --save $d");
    cr_assert(!same_in_files("dense1.weight"));
    cr_assert(same_in_files("dense1.bias") && same_in_files("conv2.weight"));
}

Test(finetune, biases_alone_train, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
    cli_succeed("finetune --model transfer-cnn --load $c --data $a --bias-only * --batch 16 --threads 1 --json "
                "--save $d");
    cli_assert_trains(0, 32 + 32 + 128 + 5);
    cr_assert(same_in_files("dense1.weight") && !same_in_files("dense1.bias"));
}

/* ---------------------------------------------------------------- strategies */

#define FINETUNE                                                                                                 \
    "finetune --model transfer-cnn --load $c --reset dense2 --data $b --epochs 4 --batch 16 --threads 1 --json " \
    "--save $d "

static unsigned char tuned[2][4 << 20];

/* Fine-tunes with these options too, and keeps the file of weights. Returns its length. */
static long fine_tune(const char *options, unsigned char *bytes)
{
    char line[512];
    snprintf(line, sizeof line, FINETUNE "%s", options);
    cli_succeed(line);
    cli_assert_trains(0, DENSE2);
    cli_assert_trains(1, DENSE1 + DENSE2);
    cli_assert_trains(2, CONV2 + DENSE1 + DENSE2);
    cli_assert_trains(3, ALL);
    const long length = support_read_tensors(cli_variables[3], bytes, sizeof tuned[0]);
    cr_assert_eq(length, 4 * ALL, "%ld bytes", length);
    return length;
}

/* The rule `index` of the epoch on this line. */
static void assert_rule(int line, size_t index, const char *action, const char *part, const char *pattern,
                        double trainable)
{
    json_t *epoch = support_json_line(&cli_run, line);
    const json_t *rule = json_array_get(json_object_get(epoch, "rules"), index);
    cr_assert_str_eq(json_string_value(json_object_get(rule, "action")), action);
    cr_assert_str_eq(json_string_value(json_object_get(rule, "part")), part);
    cr_assert_str_eq(json_string_value(json_object_get(rule, "pattern")), pattern);
    cr_assert_eq(support_json_number(rule, "trainable_parameters"), trainable);
    cr_assert_null(json_object_get(rule, "value"));
    json_decref(epoch);
}

static size_t count_rules(int line)
{
    json_t *epoch = support_json_line(&cli_run, line);
    const json_t *rules = json_object_get(epoch, "rules");
    cr_assert(json_is_array(rules));
    const size_t count = json_array_size(rules);
    json_decref(epoch);
    return count;
}

Test(finetune, a_strategy_gives_the_bits_of_rules_that_say_the_same, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
    const long length = fine_tune("--strategy gradual", tuned[0]);
    cr_assert(count_rules(0) == 2 && count_rules(1) == 1 && count_rules(3) == 1);
    assert_rule(0, 0, "freeze", "*", "*", 0);
    assert_rule(0, 1, "unfreeze", "@top:epoch", "dense2", DENSE2);
    assert_rule(1, 0, "unfreeze", "@top:epoch", "dense1|dense2", DENSE1 + DENSE2);
    static const char text[] = "{\"strategies\": [{\"name\": \"mine\", \"rules\": ["
                               "{\"epoch\": 1, \"pattern\": \"@body\", \"action\": \"freeze\"},"
                               "{\"every\": true, \"pattern\": \"@top:epoch\", \"action\": \"unfreeze\"}]}]}";
    char file[SUPPORT_PATH_BYTES], named[SUPPORT_PATH_BYTES + 32], given[SUPPORT_PATH_BYTES + 64];
    support_write_file(support_path(file, cli_directory, "mine.json"), text, sizeof text - 1);
    snprintf(named, sizeof named, "--strategy-file %s", file);
    snprintf(given, sizeof given, "--strategy mine %s", named);
    const char *const same[] = {
        "--freeze * --unfreeze dense2 --unfreeze dense1@2 --unfreeze conv2@3 --unfreeze conv1@4",
        "--freeze @body --unfreeze @top:2@2 --unfreeze @top:3@3 --unfreeze *@4",
        "--strategy head --unfreeze dense1@2 --unfreeze conv2@3 --unfreeze conv1@4",
        named,
        given,
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        cr_assert_eq(fine_tune(same[i], tuned[1]), length);
        cr_assert(memcmp(tuned[0], tuned[1], (size_t)length) == 0, "%s", same[i]);
    }
}

/* The head is what is reset, or what --head names; the command line's rules come after the strategy's. */
Test(finetune, a_strategy_knows_the_head, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
#define HEAD "finetune --model transfer-cnn --load $c --data $b --batch 16 --threads 1 --json --strategy head "
    cli_succeed(HEAD "--reset dense*");
    cli_assert_trains(0, DENSE1 + DENSE2);
    cli_succeed(HEAD "--reset dense* --head dense2");
    cli_assert_trains(0, DENSE2);
    cli_succeed(HEAD "--unfreeze conv2@1");
    cli_assert_trains(0, CONV2 + DENSE2);
    cr_assert_eq(count_rules(0), 3);
    assert_rule(0, 2, "unfreeze", "conv2", "conv2", CONV2 + DENSE2);
    cli_succeed("train --model transfer-cnn --data $a --batch 16 --threads 1 --json --strategy lora:rank=2 --epochs 2");
    json_t *epoch = support_json_line(&cli_run, 0);
    const json_t *rule = json_array_get(json_object_get(epoch, "rules"), 1);
    cr_assert_str_eq(json_string_value(json_object_get(rule, "action")), "lora");
    cr_assert_eq(support_json_number(rule, "value"), 2);
    json_decref(epoch);
    cr_assert_eq(count_rules(1), 0);
}

Test(finetune, says_which_strategy_in_words, .init = cli_begin, .fini = cli_end)
{
    cli_pretrain();
    cli_succeed("finetune --model transfer-cnn --load $c --data $b --batch 16 --threads 1 --strategy head");
    cr_assert_not_null(strstr(cli_run.output, " parameters, strategy head; "), "%s", cli_run.output);
}

Test(finetune, a_run_is_logged_where_it_is_asked_for, .init = cli_begin, .fini = cli_end)
{
    char folder[SUPPORT_PATH_BYTES], line[1024], steps[4096], file[SUPPORT_PATH_BYTES];
    support_path(folder, cli_directory, "log");
    snprintf(line, sizeof line,
             "train --model transfer-cnn --data $a --epochs 2 --batch 16 --threads 1 --log %s --log-every 3", folder);
    cli_succeed(line);
    const long count = support_read_file(support_path(file, folder, "steps.csv"), steps, sizeof steps - 1);
    cr_assert(count > 0 && count < (long)sizeof steps);
    steps[count] = '\0';
    cr_assert(strstr(steps, "\"gradient_norm/dense2\"") && strstr(steps, "\r\n3,1,") && strstr(steps, "\r\n6,"));
    support_command(&cli_run, cli_directory, line, cli_variables);
    cr_assert_eq(cli_run.code, 2);
    cr_assert(strstr(cli_run.errors, "--log: ") && strstr(cli_run.errors, "another run"), "%s", cli_run.errors);
    support_remove_tree(folder);
}
