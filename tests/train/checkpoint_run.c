#include "train/checkpoint_run.h"

char checkpoint_folder[SUPPORT_PATH_BYTES], checkpoint_path[SUPPORT_PATH_BYTES];

static const thaw_strategy_rule adapting[] = {
    { .epoch = 2, .pattern = "dense1", .action = THAW_ACTION_LORA, .value = 2 },
    { .epoch = 3, .pattern = "dense3", .action = THAW_ACTION_RESET },
    { .epoch = 3, .pattern = "conv*", .action = THAW_ACTION_RATE, .value = 0.5 },
    { .epoch = 4, .pattern = "dense2.bias", .action = THAW_ACTION_FREEZE },
};
const thaw_strategy checkpoint_adapters = { .name = "adapters", .rules = adapting, .rule_count = THAW_COUNT(adapting) };

void checkpoint_begin(void)
{
    support_make_directory(checkpoint_folder);
    support_path(checkpoint_path, checkpoint_folder, "run.safetensors");
}

void checkpoint_end(void)
{
    support_remove_directory(checkpoint_folder);
}

void checkpoint_open(checkpoint_run *made, checkpoint_setter *set)
{
    *made = (checkpoint_run){ .context = support_context(2), .options = { .epochs = 4, .batch = CHECKPOINT_BATCH } };
    made->model = support_network(made->context, true);
    made->data = support_samples(made->context, CHECKPOINT_SAMPLES, CHECKPOINT_SEED);
    support_optimize(made->model, "adam:lr=0.01");
    if (set)
        set(made);
    assert_ok(made->context, thaw_trainer_create(made->model, made->data, &made->options, &made->trainer));
}

void checkpoint_close(checkpoint_run *made)
{
    thaw_trainer_destroy(made->trainer);
    thaw_dataset_destroy(made->data);
    thaw_model_destroy(made->model);
    thaw_optimizer_destroy(made->own);
    thaw_context_destroy(made->context);
}

void checkpoint_step(checkpoint_run *made, size_t steps)
{
    for (size_t i = 0; i < steps && !thaw_trainer_done(made->trainer); i++)
        assert_ok(made->context, thaw_trainer_step(made->trainer, NULL));
}
