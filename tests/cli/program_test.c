/* thaw plan --program and --profile. */
#include "cli/fixture.h"

#include <string.h>

#include "support/support.h"

Test(program, lists_instructions_in_lines, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("plan --model mlp-500 --program --threads 1");
    cr_assert_eq(strncmp(cli_run.output, "       section   operation  layer", 33), 0, "%s", cli_run.output);
    cr_assert_not_null(strstr(cli_run.output, "backward  final"));
    cr_assert_not_null(strstr(cli_run.output, "update    update     -"));
}

/* The instructions come in the order of sections, numbered from 0. */
Test(program, lists_instructions_in_json, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("plan --model mlp-500 --program --threads 1 --json");
    json_t *first = support_json_line(&cli_run, 0), *last = support_json_line(&cli_run, -1);
    cli_assert_event(first, "instruction");
    cr_assert_eq(support_json_number(first, "index"), 0);
    cr_assert_null(json_object_get(first, "seconds"), "nothing was measured");
    cr_assert_str_eq(json_string_value(json_object_get(last, "section")), "update");
    cr_assert_str_eq(json_string_value(json_object_get(last, "operation")), "update");
    cr_assert(json_is_null(json_object_get(last, "layer")));
    int lines = 0;
    for (const char *c = cli_run.output; *c; c++)
        lines += *c == '\n';
    cr_assert_eq(support_json_number(last, "index"), lines - 1);
    json_decref(first);
    json_decref(last);
}

static double add_up(const char *key)
{
    double sum = 0;
    for (int i = 0;; i++) {
        json_t *row = support_json_line(&cli_run, i);
        const bool more = strcmp(json_string_value(json_object_get(row, "event")), "instruction") == 0;
        sum += more ? support_json_number(row, key) : 0;
        json_decref(row);
        if (!more)
            return sum;
    }
}

Test(program, measures_instructions_that_add_up_to_a_step, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("plan --model transfer-cnn --batch 16 --profile --steps 9 --threads 1 --json");
    cr_assert_eq(cli_final("steps"), 9);
    const double step = cli_final("step_seconds"), sum = add_up("seconds");
    cr_assert_float_eq(cli_final("instruction_seconds"), sum, 1e-9 + 1e-8 * sum);
    cr_assert_float_eq(add_up("share"), sum / step, 1e-6);
    const double rest = cli_final("rest_seconds");
    cr_assert_float_eq(sum + rest, step, 1e-9 + 1e-9 * step, "%g s and %g s of %g s", sum, rest, step);
}

Test(program, measures_in_a_table, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("plan --model mlp-500 --batch 16 --profile --steps 3 --threads 1");
    cr_assert_not_null(strstr(cli_run.output, "     mean us   share "));
    cr_assert_not_null(strstr(cli_run.output, "between instructions"));
    cr_assert_not_null(strstr(cli_run.output, "all instructions"));
    cr_assert_not_null(strstr(cli_run.output, "100.00%  a step; means of the faster half of 3 steps"));
}

/* Token ids must be below the vocabulary, and token types below their number: 2, and 1. */
Test(program, measures_networks_of_texts, .init = cli_begin, .fini = cli_end)
{
    static const char *const models[] = {
        "bert-base:layers=1,width=8,heads=2,vocabulary=5,length=12",
        "bert-base:layers=1,width=8,heads=2,vocabulary=5,length=12,types=1",
        "distilbert:layers=1,width=8,heads=2,vocabulary=5,length=12",
        "gpt2:layers=1,width=8,heads=2,vocabulary=5,length=12",
    };
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        char line[256];
        snprintf(line, sizeof line, "plan --model %s --batch 4 --profile --steps 2 --threads 1", models[i]);
        cli_succeed(line);
        support_assert_says(cli_run.output, "a step; means of the faster half of 2 steps");
        snprintf(line, sizeof line, "plan --model %s --batch 4 --steps 2 --threads 1 --what-if *.0.*", models[i]);
        cli_succeed(line);
        support_assert_says(cli_run.output, "(as it is)");
    }
}

Test(program, measures_no_evaluation, .init = cli_begin, .fini = cli_end)
{
    support_command(&cli_run, cli_directory, "plan --model mlp-500 --inference --profile", cli_variables);
    cr_assert_eq(cli_run.code, 2);
    cr_assert_not_null(strstr(cli_run.errors, "--inference"), "%s", cli_run.errors);
}

static double price_at(int line, const char *key)
{
    json_t *row = support_json_line(&cli_run, line);
    cli_assert_event(row, "price");
    const double value = support_json_number(row, key);
    json_decref(row);
    return value;
}

/* What is frozen for certain costs nothing: elements of the convolutions, and a step's time below the head. */
Test(program, prices_what_freezing_would_save, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("plan --model transfer-cnn --classes 5 --batch 16 --steps 3 --threads 1 --what-if conv* "
                "--what-if @body --json");
    enum { CONVOLUTIONS = 320 + 9248 };
    cr_assert_eq(price_at(0, "trainable_parameters") - price_at(1, "trainable_parameters"), CONVOLUTIONS);
    cr_assert_eq(price_at(0, "cache_sample_bytes"), 0);
    cr_assert_gt(price_at(1, "cache_sample_bytes"), 0);
    cr_assert_lt(price_at(2, "memory_bytes"), price_at(0, "memory_bytes"));
    cr_assert_lt(price_at(2, "cached_step_seconds"), price_at(0, "step_seconds"));
}

Test(program, prices_in_a_table, .init = cli_begin, .fini = cli_end)
{
    cli_succeed("plan --model mlp-500 --batch 16 --steps 3 --threads 1 --what-if dense1");
    cr_assert_not_null(strstr(cli_run.output, "cached step ms"));
    cr_assert_not_null(strstr(cli_run.output, "(as it is)"));
    cr_assert_not_null(strstr(cli_run.output, "  dense1\n"));
}

Test(program, refuses_prices_of_what_is_not_there, .init = cli_begin, .fini = cli_end)
{
    support_command(&cli_run, cli_directory, "plan --model mlp-500 --what-if dense1 --profile", cli_variables);
    cr_assert_eq(cli_run.code, 2);
    support_assert_says(cli_run.errors, "--what-if: cannot be combined with --profile");
    support_command(&cli_run, cli_directory, "plan --model mlp-500 --batch 4 --steps 1 --what-if dense9",
                    cli_variables);
    cr_assert_eq(cli_run.code, 2);
    support_assert_says(cli_run.errors, "--what-if: pattern \"dense9\"");
}
