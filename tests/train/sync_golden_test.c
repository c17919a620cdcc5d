/* Batch normalisation by the statistics of a whole step, on several ranks and in several shards, against PyTorch's. */
#include <string.h>

#include "support/golden.h"
#include "support/network.h"
#include "support/ranks.h"
#include "train/normalised_network.h"

enum { GOLDEN_STEPS = 20, GOLDEN_BATCHES = 10 };

typedef struct golden_run {
    const char *frozen[2];
    bool tracked;
    int64_t shards;
    double losses[MOST_RANKS][GOLDEN_STEPS];
    float statistics[MOST_RANKS][20]; /* means, then variances, of 4 and of 6 channels */
} golden_run;

static void read_statistics(thaw_model *model, float *values)
{
    static const char *const names[] = { "norm1.running_mean", "norm1.running_var", "norm2.running_mean",
                                         "norm2.running_var" };
    for (size_t i = 0; i < THAW_COUNT(names); i++) {
        const thaw_parameter *parameter = thaw_model_find_parameter(model, names[i]);
        const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
        memcpy(values, thaw_parameter_data(parameter), count * sizeof *values);
        values += count;
    }
}

static void train_as_pytorch(void *argument, const thaw_communicator *communicator)
{
    golden_run *taken = argument;
    thaw_context *context = support_context(1);
    thaw_model *model = normalised_network(context, taken->tracked);
    thaw_model_set_sync_batch_norm(model, true);
    support_optimize(model, "adam:lr=1e-2");
    for (size_t i = 0; i < 2 && taken->frozen[i]; i++)
        assert_ok(context, thaw_model_freeze(model, taken->frozen[i]));
    for (uint32_t i = 0; i < GOLDEN_STEPS; i++) {
        thaw_step_result result;
        assert_ok(context,
                  normalised_try_step(model, i % GOLDEN_BATCHES, 0,
                                      &(thaw_step_options){ .shards = taken->shards, .communicator = communicator },
                                      &result));
        taken->losses[communicator->rank][i] = result.loss;
    }
    read_statistics(model, taken->statistics[communicator->rank]);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

/* tests/golden/normalisation.py trains on whole batches, as torch.nn.SyncBatchNorm does on parts of them. */
Test(sync_golden, losses_and_running_statistics_equal_pytorch_s, .timeout = 120)
{
    static const struct {
        const char *name;
        golden_run run;
    } runs[] = { { "all trainable", { .tracked = false } },
                 { "first frozen", { .frozen = { "conv1", "norm1" } } },
                 { "first frozen but tracked", { .frozen = { "conv1", "norm1" }, .tracked = true } },
                 { "second frozen", { .frozen = { "norm2" } } } };
    static const struct {
        int ranks;
        int64_t shards; /* on each */
    } cuts[] = { { 2, 1 }, { 4, 1 }, { 1, 2 }, { 1, 4 }, { 2, 2 } };
    FILE *file = golden_open("running_statistics.txt");
    for (size_t r = 0; r < THAW_COUNT(runs); r++) {
        float losses[GOLDEN_STEPS], statistics[20];
        golden_case(file, runs[r].name);
        golden_read(file, "losses", losses, GOLDEN_STEPS);
        golden_read(file, "first", statistics, 8);
        golden_read(file, "second", statistics + 8, 12);
        for (size_t c = 0; c < THAW_COUNT(cuts); c++) {
            const int ranks = cuts[c].ranks;
            golden_run taken = runs[r].run;
            taken.shards = ranks * cuts[c].shards;
            run_ranks(ranks, train_as_pytorch, &taken);
            for (int i = 0; i < ranks; i++) {
                for (size_t k = 0; k < GOLDEN_STEPS; k++)
                    cr_assert_float_eq(taken.losses[i][k], (double)losses[k], 1e-4 * (double)losses[k],
                                       "%s, rank %d of %d, step %zu: loss %.9g, PyTorch's %.9g", runs[r].name, i, ranks,
                                       k + 1, taken.losses[i][k], (double)losses[k]);
                assert_close(taken.statistics[i], statistics, 20, 1e-4, runs[r].name);
            }
        }
    }
    fclose(file);
}
