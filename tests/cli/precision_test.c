/* --precision and --frozen-precision. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

/* The precision of each node of a plan, from the first on: f or b. */
static void assert_plan(const char *line, const char *expected)
{
    char found[32] = "";
    cli_succeed(line);
    for (int i = 0; i < 12; i++) {
        json_t *row = support_json_line(&cli_run, i);
        cli_assert_event(row, "node");
        found[i] = json_string_value(json_object_get(row, "precision"))[0];
        json_decref(row);
    }
    cr_assert_str_eq(found, expected, "%s: %s", line, found);
}

#define PLAN "plan --model transfer-cnn --freeze conv* --batch 64 --threads 1 --json "

Test(precision, shows_in_the_plan, .init = cli_begin, .fini = cli_end)
{
    skip_without_bfloat16();
    assert_plan(PLAN, "ffffffffffff");
    cr_assert_eq(cli_final("conversions"), 0);
    assert_plan(PLAN "--precision f32", "ffffffffffff");
    assert_plan(PLAN "--precision bf16-emulated", "fbbbbbbbbbbb");
    cr_assert_gt(cli_final("conversions"), 0);
    assert_plan(PLAN "--frozen-precision bf16-emulated", "fbbbbbbbffff");
    cr_assert_gt(cli_final("bfloat16_kernels"), 0);
    cli_succeed("plan --model transfer-cnn --json");
    const double floats = cli_final("activation_bytes");
    cli_succeed("plan --model transfer-cnn --json --precision bf16-emulated");
    cr_assert_lt(cli_final("activation_bytes"), floats);
    cli_succeed("plan --model transfer-cnn --threads 1 --precision bf16-emulated");
    cr_assert_not_null(strstr(cli_run.output, " bf16 "));
    cr_assert_not_null(strstr(cli_run.output, "conversions lie at the borders"));
}

Test(precision, serves_training_finetuning_and_evaluation, .init = cli_begin, .fini = cli_end)
{
    skip_without_bfloat16();
    cli_succeed(
        "train --model transfer-cnn --data $a --save $c --threads 2 --epochs 6 --precision bf16-emulated --json");
    const double accuracy = cli_final("test_accuracy");
    cr_assert_gt(accuracy, 0.8, "accuracy %g", accuracy);
    cli_succeed("evaluate --model transfer-cnn --data $a --load $c --threads 2 --precision bf16-emulated --json");
    cr_assert_eq(cli_final("accuracy"), accuracy);
    cli_succeed("finetune --model transfer-cnn --data $b --load $c --reset dense2 --freeze conv* --save $d --threads 2 "
                "--epochs 6 --frozen-precision bf16-emulated --json");
    cr_assert_gt(cli_final("test_accuracy"), 0.8);
}

static void assert_refused(const char *line, int code, const char *message)
{
    support_command(&cli_run, cli_directory, line, cli_variables);
    cr_assert_eq(cli_run.code, code, "%s: exit code %d", line, cli_run.code);
    cr_assert_not_null(strstr(cli_run.errors, message), "%s: %s", line, cli_run.errors);
}

Test(precision, is_refused_where_the_cpu_lacks_it, .init = cli_begin, .fini = cli_end)
{
    skip_without_bfloat16();
    setenv("ONEDNN_MAX_CPU_ISA", "AVX512_CORE", 1); /* for the command */
    assert_refused("plan --model transfer-cnn --precision bf16", 1,
                   "thaw: --precision: bfloat16: this CPU has no instr");
    assert_refused("plan --model transfer-cnn --frozen-precision bf16", 1, "thaw: --frozen-precision: bfloat16: ");
    cli_succeed("plan --model transfer-cnn --json");
    const double floats = cli_final("activation_bytes");
    cli_succeed("plan --model transfer-cnn --json --precision bf16-emulated");
    cr_assert_lt(cli_final("activation_bytes"), floats);
    cli_succeed("plan --model transfer-cnn --threads 1 --precision bf16-emulated");
    setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
    assert_refused("plan --model transfer-cnn --precision bf16-emulated", 1, "AVX-512");
}

Test(precision, is_one_of_three, .init = cli_begin, .fini = cli_end)
{
    assert_refused("plan --model transfer-cnn --precision f16", 2,
                   "thaw: --precision: \"f16\", must be f32, bf16 or bf16-emulated");
    assert_refused("evaluate --model transfer-cnn --load $c --data $a --frozen-precision bf16", 2, "no such option");
}
