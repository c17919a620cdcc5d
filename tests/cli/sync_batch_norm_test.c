/* --sync-batch-norm without other ranks, and what thaw plan says of it. Under mpirun: tests/distributed/mpi_norm.py. */
#include <stdio.h>
#include <string.h>

#include "cli/fixture.h"
#include "support/support.h"

static double synced_bytes(const char *line)
{
    cli_succeed(line);
    json_t *plan = support_json_line(&cli_run, -1);
    const double bytes = support_json_number(plan, "synced_bytes");
    json_decref(plan);
    return bytes;
}

static size_t count_shared(const char *line)
{
    size_t count = 0;
    cli_succeed(line);
    for (const char *at = strstr(cli_run.output, "  share  "); at; at = strstr(at + 1, "  share  "))
        count++;
    return count;
}

/* The statistics of resnet18's 20 layers, of 4800 channels together: 2 C + 1 doubles in forward, and in backward. */
Test(sync_batch_norm, a_plan_tells_what_ranks_share, .init = cli_begin, .fini = cli_end)
{
    enum { LAYERS = 20, CHANNELS = 4800 };
    const double both = 2 * (LAYERS + 2 * CHANNELS) * 8;
    cr_assert_eq(synced_bytes("plan --model resnet18:size=32 --batch 4 --shards 2 --sync-batch-norm --json"), both);
    cr_assert_eq(synced_bytes("plan --model resnet18:size=32 --batch 4 --shards 2 --json"), 0);
    cr_assert_eq(synced_bytes("plan --model resnet18:size=32 --batch 4 --sync-batch-norm --json"), 0);
    cr_assert_eq(count_shared("plan --model resnet18:size=32 --batch 4 --shards 2 --sync-batch-norm --program"),
                 2 * LAYERS);
    cr_assert_eq(count_shared("plan --model resnet18:size=32 --batch 4 --shards 2 --sync-batch-norm --freeze * "
                              "--unfreeze fc --program"),
                 0);
}

Test(sync_batch_norm, changes_nothing_without_ranks, .init = cli_begin, .fini = cli_end)
{
    double losses[2];
    for (int i = 0; i < 2; i++) {
        char line[160];
        snprintf(line, sizeof line, "train --model transfer-cnn --data $a --batch 16 --threads 1 --json%s",
                 i ? " --sync-batch-norm" : "");
        cli_succeed(line);
        losses[i] = cli_final("loss");
    }
    cr_assert_eq(losses[0], losses[1]);
}

/* Checkpoints tell a run with it from one without. */
Test(sync_batch_norm, a_checkpoint_knows_of_it, .init = cli_begin, .fini = cli_end)
{
#define TRAIN "train --model mlp-500 --data $a --batch 16 --threads 1 --checkpoint $g --epochs "
    static const struct {
        const char *line;
        int code;
        const char *message;
    } runs[] = {
        { TRAIN "1 --sync-batch-norm", 0, "" },
        { TRAIN "2 --resume", 1, "batch normalisation: by all shards in the checkpoint, missing here" },
        { TRAIN "2 --resume --sync-batch-norm", 0, "the run continues from" },
    };
    char folder[SUPPORT_PATH_BYTES];
    const char *variables[7];
    memcpy(variables, cli_variables, sizeof cli_variables);
    variables[6] = support_path(folder, cli_directory, "run");
    for (size_t i = 0; i < THAW_COUNT(runs); i++) {
        support_command(&cli_run, cli_directory, runs[i].line, variables);
        cr_assert_eq(cli_run.code, runs[i].code, "%s: %s", runs[i].line, cli_run.errors);
        support_assert_says(cli_run.errors, runs[i].message);
    }
    support_remove_tree(folder);
}
