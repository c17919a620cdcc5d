/* The command with a new head: what is loaded, what trains, and what a file says of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

TestSuite(heads, .init = cli_begin, .fini = cli_end);

#define ON_HALF " --data $b --batch 16 --threads 1 "

static void assert_model(const char *path, const char *wanted)
{
    thaw_context *context = support_context(1);
    thaw_notes *notes;
    assert_ok(context, thaw_notes_read(context, path, &notes));
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.model"), wanted);
    thaw_notes_destroy(notes);
    thaw_context_destroy(context);
}

/* 128 features: a hidden layer of 32, and 5 classes. */
enum { NEW_HEAD = 128 * 32 + 32 + 32 * 5 + 5 };

Test(heads, a_new_head_is_left_out_of_the_file_and_is_the_head_of_strategies)
{
    cli_pretrain();
    cli_succeed("finetune --load $c --head mlp:32 --dropout 0.1 --strategy head --json --save $d" ON_HALF);
    cli_assert_trains(0, NEW_HEAD);
    assert_model(cli_variables[3], "transfer-cnn:head=mlp:32,dropout=0.1,size=28");
    /* It is then the file's head. */
    cli_succeed("finetune --load $d --head mlp:32 --strategy head --json" ON_HALF);
    cli_assert_trains(0, 5 + 32 * 5);
    cli_succeed("finetune --load $d --model transfer-cnn:head=mlp:16 --strategy head --json" ON_HALF);
    cli_assert_trains(0, 128 * 16 + 16 + 16 * 5 + 5);
    cli_succeed("finetune --load $c --head linear --strategy head --json" ON_HALF);
    cli_assert_trains(0, DENSE2);
    cli_succeed("finetune --load $c --head linear --head-init zeros --strategy head --head dense*" ON_HALF "--json");
    cli_assert_trains(0, DENSE2 + DENSE1);
}

static double evaluated(const char *line)
{
    cli_succeed(line);
    return cli_final("loss");
}

Test(heads, what_reads_the_file_builds_the_same_network)
{
    cli_succeed("train --model transfer-cnn --head mlp:32 --dropout 0.2 --head-init xavier_normal --json --epochs 3 "
                "--save $d" ON_HALF);
    const double tested = cli_final("test_loss");
    cr_assert_float_eq(evaluated("evaluate --load $d --json" ON_HALF), tested, 1e-6 * tested);
    cr_assert_float_eq(evaluated("evaluate --load $d --model transfer-cnn --json" ON_HALF), tested, 1e-6 * tested);
    support_command(&cli_run, cli_directory, "evaluate --load $d --model transfer-cnn:head=mlp:16 --data $b",
                    cli_variables);
    cr_assert_eq(cli_run.code, 1);
    support_assert_says(cli_run.errors, "thaw: --load: ");
}

/* With weights of zero every class has the same share: the loss of the first batches starts at ln 5. */
Test(heads, zeros_make_every_class_as_likely)
{
    cli_succeed("train --model mlp-500 --head-init zeros --optimizer sgd:lr=1e-30 --json" ON_HALF);
    cr_assert_float_eq(cli_final("loss"), 1.6094379, 1e-6);
}

Test(heads, summary_and_plan_show_it)
{
    cli_succeed("summary --model resnet18:size=64 --head mlp:256 --classes 7");
    support_assert_says(cli_run.output, "fc.0 ");
    support_assert_says(cli_run.output, "fc.2 ");
    cli_succeed("plan --model resnet18:size=64 --head mlp:256 --strategy head --batch 4");
    support_assert_says(cli_run.output, "fc.2");
}
