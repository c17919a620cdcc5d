/* Files with adapters beside their weights: every command reads them as what they are. */
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

TestSuite(adapters, .init = cli_begin, .fini = cli_end);

/* Trains adapters whose scale is 3, and saves them to $d. Returns the test loss of the trained network. */
static double adapt(void)
{
    cli_pretrain();
    cli_succeed("finetune --load $c --data $a --freeze * --lora dense1.weight:rank=2,alpha=6 --optimizer adam:lr=1e-2 "
                "--epochs 2 --batch 16 --threads 1 --json --save $d");
    return cli_final("test_loss");
}

static double evaluate(const char *line)
{
    cli_succeed(line);
    return cli_final("loss");
}

Test(adapters, are_evaluated_with_their_weights)
{
    const double trained = adapt(), base = evaluate("evaluate --load $c --data $a --threads 1 --json");
    cr_assert(trained > 0 && base - trained > 0.01 * base, "the adapters change little: %g and %g", base, trained);
    cr_assert_float_eq(evaluate("evaluate --load $d --data $a --threads 1 --json"), trained, 1e-5 * trained);
    cr_assert_float_eq(evaluate("evaluate --model transfer-cnn --load $d --data $a --threads 1 --json"), trained,
                       1e-5 * trained);
}

Test(adapters, are_trained_further_and_merged)
{
    const double trained = adapt();
    cli_succeed("finetune --load $d --data $a --freeze * --unfreeze *.lora --optimizer sgd:lr=0 --batch 16 --threads 1 "
                "--json --merge --save $c");
    cli_assert_trains(0, 2 * (4608 + 128));
    cr_assert_float_eq(cli_final("test_loss"), trained, 1e-5 * trained);
    cr_assert_float_eq(evaluate("evaluate --load $c --data $a --threads 1 --json"), trained, 1e-5 * trained);
    thaw_context *context = support_context(1);
    thaw_notes *notes;
    assert_ok(context, thaw_notes_read(context, cli_variables[2], &notes));
    cr_assert_null(thaw_notes_find(notes, "thaw.adapters"), "they are merged");
    thaw_notes_destroy(notes);
    thaw_context_destroy(context);
}

Test(adapters, go_with_a_weight_that_is_reset)
{
    adapt();
    cli_succeed("finetune --load $d --data $a --reset dense1 --batch 16 --threads 1 --json");
    cli_assert_trains(0, ALL);
}
