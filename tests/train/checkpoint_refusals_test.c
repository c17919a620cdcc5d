/* Checkpoints of other runs, which are refused, and of a shorter run, which goes on. */
#include <stdlib.h>
#include <string.h>

#include "train/checkpoint_run.h"

TestSuite(checkpoint_refusals, .init = checkpoint_begin, .fini = checkpoint_end);

static void another_batch(checkpoint_run *made)
{
    made->options.batch = 15;
}

static void another_sharding(checkpoint_run *made)
{
    made->options.shards = 2;
}

static void another_seed(checkpoint_run *made)
{
    made->options.seed = 77;
}

static void another_schedule(checkpoint_run *made)
{
    made->options.schedule = (thaw_schedule){ .kind = THAW_SCHEDULE_STEP };
}

static void another_clip(checkpoint_run *made)
{
    made->options.clip_norm = 2;
}

static void another_optimizer(checkpoint_run *made)
{
    support_optimize(made->model, "adam:lr=0.02");
}

static void another_freezing(checkpoint_run *made)
{
    assert_ok(made->context, thaw_model_freeze(made->model, "conv2"));
}

static void another_strategy(checkpoint_run *made)
{
    made->options.strategy = &checkpoint_adapters;
}

static void another_description(checkpoint_run *made)
{
    made->options.checkpoint.description = "with stronger dropout";
}

static void another_network(checkpoint_run *made)
{
    thaw_model_destroy(made->model);
    made->model = support_network(made->context, false);
    support_optimize(made->model, "adam:lr=0.01");
}

static void more_samples(checkpoint_run *made)
{
    thaw_dataset_destroy(made->data);
    made->data = support_samples(made->context, CHECKPOINT_SAMPLES + 1, CHECKPOINT_SEED);
}

static void other_samples(checkpoint_run *made)
{
    thaw_dataset_destroy(made->data);
    made->data = support_samples(made->context, CHECKPOINT_SAMPLES, CHECKPOINT_SEED + 1);
}

static void no_order(checkpoint_run *made)
{
    made->options.no_shuffle = true;
}

static void fewer_epochs(checkpoint_run *made)
{
    made->options.epochs = 1;
}

static const struct {
    checkpoint_setter *set;
    const char *named;
} others[] = {
    { another_batch, "batch: 16 in the checkpoint, 15 here" },
    { another_sharding, "shards: 1 in the checkpoint, 2 here" },
    { another_seed, "seed: 1 in the checkpoint, 77 here" },
    { another_schedule, "schedule: constant" },
    { another_clip, "clip norm: 0 in the checkpoint, 2 here" },
    { another_optimizer, "adam:lr=0.02" },
    { another_freezing, "group conv2: trainable" },
    { another_strategy, "strategy: none in the checkpoint, adapters" },
    { another_description, "description: none in the checkpoint, with stronger dropout here" },
    { another_network, "layer dense1: dense of 7" },
    { more_samples, "content of the data" },
    { other_samples, "content of the data" },
    { no_order, "order of the data: shuffled in the checkpoint, as it is here" },
    { fewer_epochs, "is in epoch 2, the run has only 1 epochs" },
};

Test(checkpoint_refusals, of_another_run_is_refused_by_name)
{
    checkpoint_run made;
    checkpoint_open(&made, NULL);
    checkpoint_step(&made, 4);
    assert_ok(made.context, thaw_trainer_save(made.trainer, checkpoint_path));
    checkpoint_close(&made);
    for (size_t i = 0; i < THAW_COUNT(others); i++) {
        size_t count;
        checkpoint_open(&made, others[i].set);
        float *before = support_weights(made.model, &count);
        assert_fails(made.context, thaw_trainer_load(made.trainer, checkpoint_path), THAW_INVALID_ARGUMENT,
                     others[i].named);
        float *after = support_weights(made.model, &count);
        cr_assert_eq(memcmp(before, after, count * sizeof *before), 0, "%s: changed the model", others[i].named);
        checkpoint_step(&made, 1);
        free(before);
        free(after);
        checkpoint_close(&made);
    }
}

static void more_epochs(checkpoint_run *made)
{
    made->options.epochs = 6;
}

Test(checkpoint_refusals, of_a_shorter_run_goes_on_longer)
{
    checkpoint_run made;
    checkpoint_open(&made, NULL);
    checkpoint_step(&made, SIZE_MAX);
    assert_ok(made.context, thaw_trainer_save(made.trainer, checkpoint_path));
    checkpoint_close(&made);
    checkpoint_open(&made, more_epochs);
    assert_ok(made.context, thaw_trainer_load(made.trainer, checkpoint_path));
    cr_assert_not(thaw_trainer_done(made.trainer));
    checkpoint_step(&made, SIZE_MAX);
    cr_assert_eq(thaw_trainer_position_of(made.trainer).epoch, 6);
    checkpoint_close(&made);
}

/* A file that is whole but something else. */
Test(checkpoint_refusals, is_no_file_of_weights)
{
    checkpoint_run made;
    checkpoint_open(&made, NULL);
    assert_ok(made.context, thaw_weights_save(made.model, checkpoint_path));
    assert_fails(made.context, thaw_trainer_load(made.trainer, checkpoint_path), THAW_BAD_FORMAT,
                 "does not end in a checksum");
    assert_fails(made.context, thaw_trainer_load(made.trainer, "nowhere/x"), THAW_IO_ERROR, "nowhere/x");
    assert_fails(made.context, thaw_trainer_load(made.trainer, NULL), THAW_INVALID_ARGUMENT, "missing");
    assert_fails(made.context, thaw_trainer_save(made.trainer, NULL), THAW_INVALID_ARGUMENT, "missing");
    assert_fails(made.context, thaw_trainer_save(made.trainer, "nowhere/x"), THAW_IO_ERROR, "nowhere/x");
    assert_fails(made.context, thaw_trainer_checkpoint(made.trainer), THAW_INVALID_ARGUMENT, "no folder");
    cr_assert_null(thaw_trainer_checkpoint_path(made.trainer));
    checkpoint_close(&made);
}
