/* The command with networks whose layers are options. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

TestSuite(by_options, .init = cli_begin, .fini = cli_end);

static void assert_model(const char *wanted)
{
    thaw_context *context = support_context(1);
    thaw_notes *notes;
    assert_ok(context, thaw_notes_read(context, cli_variables[3], &notes));
    cr_assert_str_eq(thaw_notes_find(notes, "thaw.model"), wanted);
    thaw_notes_destroy(notes);
    thaw_context_destroy(context);
}

/* Inputs and outputs are those of the data, and the file keeps all that the network was built from. */
static void train_and_evaluate(const char *model, const char *noted)
{
    char line[512];
    snprintf(line, sizeof line,
             "train --model %s --data $b --batch 10 --epochs 4 --optimizer adam:lr=1e-2 --threads 1 --json --save $d",
             model);
    cli_succeed(line);
    const double loss = cli_final("test_loss");
    cr_assert_geq(cli_final("test_accuracy"), 0.6);
    assert_model(noted);
    cli_succeed("evaluate --load $d --data $b --threads 1 --json");
    cr_assert_float_eq(cli_final("loss"), loss, 1e-6 * loss);
}

Test(by_options, an_mlp_of_the_datas_inputs_and_classes)
{
    train_and_evaluate("mlp:hidden=24x16,activation=tanh,norm=batch", "mlp:hidden=24x16,activation=tanh,norm=batch,"
                                                                      "input=28x28x1");
    cli_succeed("summary --model mlp:hidden=64x32 --classes 7");
    support_assert_says(cli_run.output, "dense2 ");
    cli_succeed("finetune --load $d --model mlp:activation=relu --data $b --threads 1");
}

Test(by_options, a_cnn_with_a_head)
{
    train_and_evaluate("cnn:channels=4x8,hidden=16,norm=batch --dropout 0.1",
                       "cnn:channels=4x8,hidden=16,norm=batch,dropout=0.1,input=28x28x1");
}

Test(by_options, wrong_ones_are_refused_by_name)
{
    const struct {
        const char *model, *message;
    } cases[] = {
        { "mlp:hiden=64", "thaw: --model: unknown option of mlp \"hiden\", did you mean \"hidden\"?" },
        { "cnn:chanels=64", "thaw: --model: unknown option of cnn \"chanels\", did you mean \"channels\"?" },
        { "mlp:hidden=64,", "thaw: --model: mlp: \"\", must be NAME=VALUE" },
        { "mlp:input=5", "thaw: --data: samples have shape [28, 28, 1], must have [5] for mlp:input=5" },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        char line[512];
        snprintf(line, sizeof line, "train --model %s --data $b", cases[i].model);
        support_command(&cli_run, cli_directory, line, cli_variables);
        cr_assert_neq(cli_run.code, 0);
        support_assert_says(cli_run.errors, cases[i].message);
    }
}
