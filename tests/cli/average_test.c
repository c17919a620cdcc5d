/* --ema: averaged weights are tested, kept as the best, and saved beside the others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "support/support.h"

static char folder[SUPPORT_PATH_BYTES], whole[SUPPORT_PATH_BYTES], parts[SUPPORT_PATH_BYTES];
static char whole_average[SUPPORT_PATH_BYTES], parts_average[SUPPORT_PATH_BYTES], best[SUPPORT_PATH_BYTES];

/* Beside those of the fixture: $g a folder, $h and $i weights of a whole run and of one in parts, $j and $k their
   averages, $l the best. */
static const char *variables[12];

static void begin(void)
{
    cli_begin();
    memcpy(variables, cli_variables, sizeof cli_variables);
    variables[6] = support_path(folder, cli_directory, "run");
    variables[7] = support_path(whole, cli_directory, "whole.safetensors");
    variables[8] = support_path(parts, cli_directory, "parts.weights");
    variables[9] = support_path(whole_average, cli_directory, "whole.ema.safetensors");
    variables[10] = support_path(parts_average, cli_directory, "parts.weights.ema");
    variables[11] = support_path(best, cli_directory, "best.safetensors");
}

static void end(void)
{
    if (access(folder, F_OK) == 0)
        support_remove_tree(folder);
    cli_end();
}

static void succeed(const char *line)
{
    support_command(&cli_run, cli_directory, line, variables);
    cr_assert_eq(cli_run.code, 0, "%s: %s", line, cli_run.errors);
}

static void fail(const char *line, int code, const char *message)
{
    support_command(&cli_run, cli_directory, line, variables);
    cr_assert_eq(cli_run.code, code, "%s: %d, %s", line, cli_run.code, cli_run.errors);
    cr_assert_not_null(strstr(cli_run.errors, message), "%s: \"%s\" lacks \"%s\"", line, cli_run.errors, message);
}

static void assert_same_files(const char *one, const char *other)
{
    enum { MOST = 8 << 20 };
    char *left = malloc(MOST), *right = malloc(MOST);
    const long count = support_read_tensors(one, left, MOST);
    cr_assert(count > 0 && count < MOST);
    cr_assert_eq(support_read_tensors(other, right, MOST), count);
    cr_assert_eq(memcmp(left, right, (size_t)count), 0, "%s and %s differ", one, other);
    free(left);
    free(right);
}

#define TRAIN "train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --ema 0.9 --epochs "

Test(average, is_tested_and_saved, .init = begin, .fini = end)
{
    succeed(TRAIN "3 --save $h --best $l --json");
    const double loss = cli_final("test_loss");
    cr_assert_gt(cli_final("average_bytes"), 0);
    json_t *done = support_json_line(&cli_run, -1);
    cr_assert_str_eq(json_string_value(json_object_get(done, "saved_average")), whole_average);
    const bool last_is_best = support_json_number(done, "best_epoch") == 3;
    json_decref(done);
    succeed("evaluate --model mlp-500 --data $f --threads 1 --batch 16 --load $j --json");
    cr_assert_eq(cli_final("loss"), loss);
    succeed("evaluate --model mlp-500 --data $f --threads 1 --batch 16 --load $h --json");
    cr_assert_neq(cli_final("loss"), loss, "the weights are tested, not their average");
    if (last_is_best)
        assert_same_files(best, whole_average);
    succeed("train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --epochs 3 --save $i");
    assert_same_files(whole, parts);
}

Test(average, continues, .init = begin, .fini = end)
{
    succeed(TRAIN "4 --save $h");
    cr_assert_not_null(strstr(cli_run.output, "; tests the average of the weights, decay 0.9\n"), "%s", cli_run.output);
    cr_assert_not_null(strstr(cli_run.output, ", and the average of the weights in "), "%s", cli_run.output);
    succeed(TRAIN "2 --checkpoint $g");
    fail("train --model mlp-500 --data $f --threads 1 --seed 3 --batch 16 --epochs 4 --checkpoint $g --resume", 1,
         "decay of averaged weights: 0.9");
    succeed(TRAIN "4 --checkpoint $g --resume --save $i");
    assert_same_files(whole, parts);
    assert_same_files(whole_average, parts_average);
}

Test(average, is_merged, .init = begin, .fini = end)
{
    cli_pretrain();
    succeed(
        "finetune --model transfer-cnn --load $c --reset dense2 --freeze * --unfreeze dense2 --lora dense1.weight:rank=4 "
        "--data $b --optimizer adam:lr=0.02 --ema 0.9 --merge --epochs 3 --batch 16 --threads 1 --json --save $h");
    const double loss = cli_final("test_loss");
    succeed("evaluate --model transfer-cnn --data $b --threads 1 --batch 16 --load $j --json");
    cr_assert_float_eq(cli_final("loss"), loss, 1e-4, "%g, wanted %g", cli_final("loss"), loss);
    succeed("evaluate --model transfer-cnn --data $b --threads 1 --batch 16 --load $h --json");
    cr_assert(cli_final("loss") > loss + 1e-4 || cli_final("loss") < loss - 1e-4, "%g", cli_final("loss"));
}

Test(average, wrong_options_are_refused, .init = begin, .fini = end)
{
    static const char *const decays[] = { "0", "1", "-0.5", "nan", "1.5", "much" };
    for (size_t i = 0; i < THAW_COUNT(decays); i++) {
        char line[128];
        snprintf(line, sizeof line, "train --model mlp-500 --data $e --save $h --ema %s", decays[i]);
        fail(line, 2, "must be a number above 0 and below 1");
    }
    fail("train --model mlp-500 --data $e --ema 0.9", 2, "thaw: --ema: needs --save, --best or test data");
    fail("train --model mlp-500 --data $e --ema 0.9 --save $h --best $j", 2, "is the file of --ema");
    cr_assert_eq(mkdir(whole_average, 0700), 0);
    fail("train --model mlp-500 --data $e --ema 0.9 --save $h", 1, "thaw: --ema: ");
    cr_assert_eq(rmdir(whole_average), 0);
}
