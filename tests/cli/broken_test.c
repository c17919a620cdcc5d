/* Weights that are no longer finite: the user may keep them, in a file of their own. */
#include <string.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "support/support.h"

/* $g the file of broken weights. */
static char broken[SUPPORT_PATH_BYTES];
static const char *variables[7];

enum { MOST_BYTES = 4 << 20 };

static char before[MOST_BYTES], after[MOST_BYTES];

static void begin(void)
{
    cli_begin();
    cli_pretrain();
    memcpy(variables, cli_variables, sizeof cli_variables);
    variables[6] = support_path(broken, cli_directory, "broken.safetensors");
    cr_assert_lt(support_read_file(cli_variables[2], before, sizeof before), (long)sizeof before);
}

static void end(void)
{
    unlink(broken);
    cli_end();
}

static void run(const char *line, int code, const char *message)
{
    support_command(&cli_run, cli_directory, line, variables);
    cr_assert_eq(cli_run.code, code, "%s: exit code %d\n%s", line, cli_run.code, cli_run.errors);
    cr_assert(strstr(cli_run.errors, message), "%s: %s", line, cli_run.errors);
    cr_assert_null(strstr(cli_run.errors, "-nan"), "%s: %s", line, cli_run.errors);
}

/* $c, which was there before. */
static void assert_good_weights_stay(void)
{
    const long bytes = support_read_file(cli_variables[2], after, sizeof after);
    cr_assert(bytes > 0 && bytes < (long)sizeof after);
    cr_assert_eq(memcmp(before, after, (size_t)bytes), 0);
}

#define DIVERGE "--data $b --threads 1 --batch 16 --epochs 2 --optimizer sgd:lr=1e39 --save $c "
#define TRAIN "train --model transfer-cnn " DIVERGE
#define FINETUNE "finetune --model transfer-cnn --load $c --reset dense2 --freeze conv* " DIVERGE

Test(broken, weights_are_kept_beside_the_good_ones, .init = begin, .fini = end)
{
    static const char *const lines[] = { TRAIN "--save-broken $g", FINETUNE "--save-broken $g --json" };
    for (size_t i = 0; i < THAW_COUNT(lines); i++) {
        run(lines[i], 1, "step 1 made weights infinite or NaN");
        cr_assert(strstr(cli_run.errors, "thaw: --save-broken: saved "), "%s", cli_run.errors);
        assert_good_weights_stay();
        run("evaluate --model transfer-cnn --load $g --data $b --threads 1", 1, "element ");
        cr_assert_eq(unlink(broken), 0);
    }
}

Test(broken, weights_need_a_wish, .init = begin, .fini = end)
{
    run(TRAIN, 1, "step 1 made weights infinite or NaN");
    cr_assert_neq(access(broken, F_OK), 0);
    assert_good_weights_stay();
}

Test(broken, weights_are_none_of_a_run_that_ends_well, .init = begin, .fini = end)
{
    run("train --model mlp-500 --data $b --threads 1 --epochs 1 --save $d --save-broken $g", 0, "");
    cr_assert_neq(access(broken, F_OK), 0);
}

Test(broken, weights_replace_no_file, .init = begin, .fini = end)
{
    run(TRAIN "--save-broken $c", 2, "is the file of --save or --best");
    run("train --model mlp-500 --data $b --best $g --save-broken $g", 2, "is the file of --save or --best");
    run("train --model mlp-500 --data $b --save-broken $c", 2, "exists, must be a new file");
    assert_good_weights_stay();
    cr_assert_eq(symlink("nothing", broken), 0);
    run(TRAIN "--save-broken $g", 2, "exists, must be a new file");
}
