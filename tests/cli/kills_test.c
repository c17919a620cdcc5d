/* Runs of the command that are killed at random moments, also while they write a checkpoint, and continue with
   --resume: the weights at the end are those of the run that nobody disturbed. THAW_KILLS sets how often each is
   killed. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cli/fixture.h"
#include "core/clock.h"
#include "support/support.h"

enum { KILLS = 4, MOST_BYTES = 16 << 20 };

static char folder[SUPPORT_PATH_BYTES], whole[SUPPORT_PATH_BYTES], parts[SUPPORT_PATH_BYTES];

/* $g the folder, $h the weights to save. */
static const char *variables[8];

static void begin(void)
{
    cli_begin();
    memcpy(variables, cli_variables, sizeof cli_variables);
    variables[6] = support_path(folder, cli_directory, "run");
    support_path(whole, cli_directory, "whole.safetensors");
    support_path(parts, cli_directory, "parts.safetensors");
    srand((unsigned)time(NULL) + (unsigned)getpid());
}

static void end(void)
{
    support_remove_tree(folder);
    cli_end();
}

static void wait_seconds(double seconds)
{
    nanosleep(&(struct timespec){ (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) }, NULL);
}

/* Runs to the end, into these weights; returns the seconds. */
static double finish(const char *line, const char *weights)
{
    const double start = thaw_seconds();
    variables[7] = weights;
    support_command(&cli_run, cli_directory, line, variables);
    cr_assert_eq(cli_run.code, 0, "%s: %s", line, cli_run.errors);
    return thaw_seconds() - start;
}

static void assert_same_weights(const char *line, int kills)
{
    char *left = malloc(MOST_BYTES), *right = malloc(MOST_BYTES);
    const long count = support_read_tensors(whole, left, MOST_BYTES);
    cr_assert(count > 0 && count < MOST_BYTES);
    cr_assert_eq(support_read_tensors(parts, right, MOST_BYTES), count);
    cr_assert_eq(memcmp(left, right, (size_t)count), 0, "other weights after %d kills: %s", kills, line);
    free(left);
    free(right);
}

/* `line` has --save $h; `checkpoints` is added where it is to continue. */
static void check(const char *line, const char *checkpoints)
{
    char resuming[1024];
    const char *told = getenv("THAW_KILLS");
    const int wanted = told ? atoi(told) : KILLS;
    snprintf(resuming, sizeof resuming, "%s --checkpoint $g --resume %s", line, checkpoints);
    double seconds = finish(line, whole);
    int kills = 0;
    variables[7] = parts;
    for (int tries = 0; kills < wanted && tries < 10 * wanted; tries++) {
        int status;
        const pid_t process = support_command_start(cli_directory, resuming, variables, -1);
        wait_seconds(seconds * rand() / RAND_MAX);
        kill(process, SIGKILL);
        cr_assert_eq(waitpid(process, &status, 0), process);
        kills += WIFSIGNALED(status);
        if (WIFSIGNALED(status))
            continue;
        cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: exit code %d", resuming, WEXITSTATUS(status));
        assert_same_weights(line, kills); /* it was faster: the next one starts anew, and has less time */
        seconds *= 0.7;
        support_remove_tree(folder);
    }
    cr_assert_eq(kills, wanted);
    finish(resuming, parts);
    assert_same_weights(line, kills);
}

/* Five kinds of run: all layers; dropout, clipping and a schedule; a gradual thaw over a cache in memory; adapters with
   momentum; a cache in a file that is rounded. */
Test(kills, leave_a_run_with_adam, .init = begin, .fini = end)
{
    check("train --model mlp-500 --data $f --threads 1 --batch 16 --epochs 12 --save $h", "--checkpoint-every 1steps");
}

Test(kills, leave_dropout_clipping_and_a_schedule, .init = begin, .fini = end)
{
    check(
        "train --model transfer-cnn --data $a --threads 1 --batch 8 --epochs 3 --optimizer rmsprop:lr=1e-3 --clip-norm "
        "1 --schedule one-cycle --save $h",
        "--checkpoint-every 3steps --keep 1");
}

static void pretrain(void)
{
    begin();
    cli_pretrain();
}

#define FINETUNE "finetune --model transfer-cnn --load $c --reset dense2 --data $b --threads 1 --batch 8 --save $h "

Test(kills, leave_a_gradual_thaw_over_a_cache, .init = pretrain, .fini = end)
{
    check(FINETUNE "--strategy gradual --epochs 6 --cache memory", "--checkpoint-every 2steps");
}

Test(kills, leave_adapters_with_momentum, .init = pretrain, .fini = end)
{
    check(FINETUNE "--freeze * --unfreeze dense2 --lora dense1.weight:rank=4 --epochs 6 --optimizer "
                   "sgd:lr=0.01,momentum=0.9",
          "--checkpoint-every 1steps");
}

Test(kills, leave_a_rounded_cache_in_a_file, .init = pretrain, .fini = end)
{
    check(FINETUNE "--freeze conv* --epochs 6 --cache $d --cache-bf16", "--checkpoint-every 1epoch");
}
