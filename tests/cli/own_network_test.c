/* The command with a network in a shared object. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

TestSuite(own_network, .init = cli_begin, .fini = cli_end);

#define ON_HALF " --data $b --batch 10 --threads 1 "

/* Replaces NET by the path of the example. */
static void command(const char *line, int code)
{
    char whole[2048];
    const char *net = strstr(line, "NET");
    snprintf(whole, sizeof whole, "%.*s%s/own_network.so%s", (int)(net ? net - line : 0), line, getenv("THAW_MODULES"),
             net ? net + 3 : "");
    support_command(&cli_run, cli_directory, net ? whole : line, cli_variables);
    cr_assert_eq(cli_run.code, code, "%s: %d: %s", line, cli_run.code, cli_run.errors);
}

Test(own_network, is_trained_saved_and_evaluated)
{
    command("train --model NET:width=8 --optimizer adam:lr=1e-2 --epochs 5 --json --save $c" ON_HALF, 0);
    const double loss = cli_final("test_loss");
    cr_assert_lt(loss, 1.2, "%g", loss); /* of five classes, ln 5 = 1.609 at the start */
    command("evaluate --model NET --load $c --json" ON_HALF, 0);
    cr_assert_float_eq(cli_final("loss"), loss, 1e-6 * loss);
    command("evaluate --load $c" ON_HALF, 2);
    support_assert_says(cli_run.errors, "own_network.so, which must be named to be loaded");
    command("finetune --model NET --load $c --freeze stem" ON_HALF, 0);
    command("summary --model NET:widht=8", 2);
    support_assert_says(cli_run.errors, "thaw: --model: unknown hyper-parameter of own_network \"widht\"");
    command("train --model ./nowhere.so" ON_HALF, 1);
    support_assert_says(cli_run.errors, "thaw: --model: network module ./nowhere.so");
}
