/* Other names that people type, and lists with commas: the same as what they stand for. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "cli/fixture.h"

/* What the last epoch of a run comes to. */
static double loss_of(const char *line)
{
    cli_succeed(line);
    return cli_final("loss");
}

#define TRAIN "train --model mlp-500 --data $a --seed 3 --threads 1 --json "

Test(aliases, stand_for_the_same_options, .init = cli_begin, .fini = cli_end, .timeout = 120)
{
    const double wanted = loss_of(TRAIN "--batch 10 --optimizer sgd:lr=0.25,weight_decay=0.125 --save $d");
    unlink(cli_variables[3]);
    const double found = loss_of(TRAIN "-b 10 --optimizer sgd:wd=0.125 --lr 0.25 -o $d");
    cr_assert_eq(found, wanted, "%g, not %g", found, wanted);
    cr_assert_eq(access(cli_variables[3], R_OK), 0, "-o has saved nothing");
    unlink(cli_variables[3]);
    cr_assert_eq(loss_of(TRAIN "--batch-size=10 --optimizer sgd:lr=0.25 --group *:wd=0.125 --output $d"), wanted);
    cr_assert_neq(loss_of(TRAIN "-b10 --lr 0.25 --optimizer sgd"), wanted, "the weight decay does nothing");
    cr_assert_neq(loss_of(TRAIN "-b5 --lr 0.25 --optimizer sgd:wd=0.125"), wanted, "the batch does nothing");
}

#define BENCH "bench --model mlp-500 --data $a --seeds 1 --epochs 1 --threads 1 --json --report $b "

/* The second has nothing left to run, and prints the same. */
Test(aliases, lists_have_blanks_or_commas, .init = cli_begin, .fini = cli_end, .timeout = 120)
{
    static char report[SUPPORT_PATH_BYTES], first[SUPPORT_OUTPUT_BYTES];
    const char *const variables[] = {
        cli_variables[0], support_path(report, cli_directory, "report"), "full head",
        "full,head",      "sgd:lr=0.1,momentum=0.9 adam\tsgd:lr=0.2",    "sgd:lr=0.1,momentum=0.9,adam, sgd:lr=0.2"
    };
    support_command(&cli_run, cli_directory, BENCH "--strategies $c --optimizers $e", variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    memcpy(first, cli_run.output, sizeof first);
    support_command(&cli_run, cli_directory, BENCH "--strategies $d --optimizers $f --resume", variables);
    cr_assert_eq(cli_run.code, 0, "%s", cli_run.errors);
    cr_assert_str_eq(cli_run.output, first);
    support_assert_says(first, "momentum=0.9");
    support_assert_says(first, "adam");
    support_remove_tree(report);
}
