/* What a checkpoint must hold besides what continuing_test.c cuts: adapters that rules add, several optimizers,
   optimizers of the host's own, rounded caches, changes by callbacks; and which checkpoints are refused. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/files.h"
#include "support/network.h"

enum { SAMPLES = 45, BATCH = 16, STEPS = 3, SEED = 5 };

static char directory[SUPPORT_PATH_BYTES], path[SUPPORT_PATH_BYTES];

static void begin(void)
{
    support_make_directory(directory);
    support_path(path, directory, "run.safetensors");
}

static void end(void)
{
    support_remove_directory(directory);
}

TestSuite(checkpoint, .init = begin, .fini = end);

/* ---------------------------------------------------------------- runs */

typedef struct fixture {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    thaw_fit_options options;
    thaw_optimizer *own; /* or NULL */
    thaw_trainer *trainer;
} fixture;

typedef void setter(fixture *made);

static void open_fixture(fixture *made, setter *set)
{
    *made = (fixture){ .context = support_context(2), .options = { .epochs = 4, .batch = BATCH } };
    made->model = support_network(made->context, true);
    made->data = support_samples(made->context, SAMPLES, SEED);
    support_optimize(made->model, "adam:lr=0.01");
    if (set)
        set(made);
    assert_ok(made->context, thaw_trainer_create(made->model, made->data, &made->options, &made->trainer));
}

static void close_fixture(fixture *made)
{
    thaw_trainer_destroy(made->trainer);
    thaw_dataset_destroy(made->data);
    thaw_model_destroy(made->model);
    thaw_optimizer_destroy(made->own);
    thaw_context_destroy(made->context);
}

static void take_steps(fixture *made, size_t steps)
{
    for (size_t i = 0; i < steps && !thaw_trainer_done(made->trainer); i++)
        assert_ok(made->context, thaw_trainer_step(made->trainer, NULL));
}

/* The weights of a run that is cut after so many steps (0: never). */
static float *weights_of(setter *set, size_t cut, size_t *count)
{
    fixture made;
    open_fixture(&made, set);
    if (cut) {
        take_steps(&made, cut);
        assert_ok(made.context, thaw_trainer_save(made.trainer, path));
        close_fixture(&made);
        open_fixture(&made, set);
        assert_ok(made.context, thaw_trainer_load(made.trainer, path));
        const thaw_trainer_position position = thaw_trainer_position_of(made.trainer);
        cr_assert_eq(position.all_steps, cut);
        cr_assert_eq(position.epoch, (int)((cut - 1) / STEPS + 1));
    }
    take_steps(&made, SIZE_MAX);
    float *weights = support_weights(made.model, count);
    close_fixture(&made);
    return weights;
}

static void assert_continues(setter *set, size_t steps)
{
    size_t count, again;
    float *whole = weights_of(set, 0, &count);
    for (size_t cut = 1; cut <= steps; cut++) {
        float *parts = weights_of(set, cut, &again);
        cr_assert_eq(count, again);
        cr_assert_eq(memcmp(parts, whole, count * sizeof *whole), 0, "cut after step %zu", cut);
        free(parts);
    }
    free(whole);
}

/* ---------------------------------------------------------------- what continues */

static const thaw_strategy_rule adapting[] = {
    { .epoch = 2, .pattern = "dense1", .action = THAW_ACTION_LORA, .value = 2 },
    { .epoch = 3, .pattern = "dense3", .action = THAW_ACTION_RESET },
    { .epoch = 3, .pattern = "conv*", .action = THAW_ACTION_RATE, .value = 0.5 },
    { .epoch = 4, .pattern = "dense2.bias", .action = THAW_ACTION_FREEZE },
};
static const thaw_strategy adapters = { .name = "adapters", .rules = adapting, .rule_count = THAW_COUNT(adapting) };

static void with_adapters(fixture *made)
{
    made->options.strategy = &adapters;
    made->options.no_shuffle = true;
}

Test(checkpoint, adapters_that_rules_have_added_continue)
{
    assert_continues(with_adapters, 4 * STEPS);
}

/* Steps by a sign, with two slots, one of which is used only with drag. */
enum { RATE, DRAG };
static bool uses_slot(const double *hyperparameters, size_t slot)
{
    return slot == 0 || hyperparameters[DRAG] > 0;
}

static void update(const thaw_update *u)
{
    for (size_t i = 0; i < u->count; i++) {
        u->slot[0][i] = 0.5F * u->slot[0][i] + u->gradient[i];
        if (u->slot[1])
            u->slot[1][i] += 1.0F / (float)u->slot_step[1];
        u->parameter[i] -= u->scalar[RATE] * tanhf(u->slot[0][i] * (u->slot[1] ? u->slot[1][i] : 1));
    }
}

static const thaw_hyperparameter own_values[] = { { "lr", 0.01, 0, 1 }, { "drag", 0, 0, 1 } };
static const thaw_optimizer_module own_module = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "signs",
    .hyperparameters = own_values,
    .hyperparameter_count = THAW_COUNT(own_values),
    .slots = (const char *const[]){ "speed", "wear" },
    .slot_count = 2,
    .update = update,
    .uses_slot = uses_slot,
};

/* Three kinds; the host changes rates, a hyper-parameter, values and what trains in its
   callback. */
static bool change(void *user, const thaw_epoch_result *epoch_result)
{
    fixture *made = user;
    assert_ok(made->context, thaw_optimizer_set(made->own, "lr", 0.01 / epoch_result->epoch));
    if (epoch_result->epoch != 2)
        assert_ok(made->context, thaw_model_reset(made->model, "dense3"));
    if (epoch_result->epoch == 2) {
        assert_ok(made->context, thaw_optimizer_set(made->own, "drag", 1));
        assert_ok(made->context, thaw_select_weight_decay(made->model, "conv1", 0.25));
        assert_ok(made->context, thaw_freeze_slice(made->model, "dense1.weight", 0, 1, 4));
    }
    return true;
}

static void with_own_optimizer(fixture *made)
{
    thaw_optimizer *momentum;
    assert_ok(made->context, thaw_optimizer_create_from(made->context, &own_module, NULL, &made->own));
    assert_ok(made->context, thaw_optimizer_create(made->context, "sgd:lr=0.02,momentum=0.9", &momentum));
    assert_ok(made->context, thaw_select_optimizer(made->model, "dense*", made->own));
    assert_ok(made->context, thaw_select_optimizer(made->model, "conv1", momentum));
    thaw_optimizer_destroy(momentum);
    made->options.drop_last = false;
    made->options.on_epoch = change;
    made->options.user = made;
}

Test(checkpoint, several_optimizers_and_one_of_the_host_continue_with_what_callbacks_changed)
{
    assert_continues(with_own_optimizer, 4 * STEPS);
}

/* Rounded values come from the cache or are rounded where they are computed; in the last epoch, too. */
static void with_rounded_cache(fixture *made)
{
    support_train_only(made->model, 0x1C);
    made->options.cache_bytes = 1 << 20;
    made->options.cache_dtype = THAW_BF16;
}

Test(checkpoint, a_rounded_cache_in_memory_continues)
{
    assert_continues(with_rounded_cache, 4 * STEPS);
}

static char features[SUPPORT_PATH_BYTES];

static void with_cache_file(fixture *made)
{
    support_train_only(made->model, 0x1C);
    made->options.cache_file = support_path(features, directory, "features");
}

Test(checkpoint, a_cache_file_continues)
{
    assert_continues(with_cache_file, 4 * STEPS);
}

/* Samples that differ from epoch to epoch, as augmented ones do. */
static uint64_t told;
static void start_epoch(void *user, uint64_t epoch)
{
    (void)user;
    told = epoch;
}

static bool read_random(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                        size_t capacity)
{
    (void)user, (void)message, (void)capacity;
    for (size_t i = 0; i < count; i++) {
        support_fill(samples + i * NETWORK_SAMPLE, NETWORK_SAMPLE, (uint32_t)(indices[i] + 1000 * told));
        ((int32_t *)targets)[i] = (int32_t)(indices[i] % NETWORK_CLASSES);
    }
    return true;
}

static void with_random_data(fixture *made)
{
    const thaw_source source = {
        .count = SAMPLES,
        .sample_shape = { 3, { 9, 7, 2 } },
        .target_dtype = THAW_I32,
        .classes = NETWORK_CLASSES,
        .random = true,
        .start_epoch = start_epoch,
        .read = read_random,
    };
    thaw_dataset_destroy(made->data);
    assert_ok(made->context, thaw_dataset_create(made->context, &source, &made->data));
}

Test(checkpoint, augmented_data_continue)
{
    assert_continues(with_random_data, 2 * STEPS);
}

static void with_shards(fixture *made)
{
    made->options.shards = 4;
    made->options.clip_norm = 0.5;
}

Test(checkpoint, steps_in_shards_continue)
{
    assert_continues(with_shards, 2 * STEPS);
}

/* ---------------------------------------------------------------- the same trainer goes back */

Test(checkpoint, a_trainer_goes_back_to_where_it_was)
{
    fixture made;
    size_t count;
    open_fixture(&made, NULL);
    take_steps(&made, 4);
    assert_ok(made.context, thaw_trainer_save(made.trainer, path));
    take_steps(&made, 5);
    float *first = support_weights(made.model, &count);
    const double loss = thaw_trainer_result(made.trainer)->loss;
    assert_ok(made.context, thaw_trainer_load(made.trainer, path));
    cr_assert_eq(thaw_trainer_position_of(made.trainer).all_steps, 4);
    cr_assert_eq(thaw_trainer_position_of(made.trainer).samples, SAMPLES + BATCH);
    take_steps(&made, 5);
    float *second = support_weights(made.model, &count);
    cr_assert_eq(memcmp(first, second, count * sizeof *first), 0);
    cr_assert_eq(thaw_trainer_result(made.trainer)->loss, loss);
    free(first);
    free(second);
    close_fixture(&made);
}

/* Plain names: the checkpoint serves as a file of weights. */
Test(checkpoint, holds_the_weights_under_their_names)
{
    fixture made;
    size_t count;
    open_fixture(&made, NULL);
    take_steps(&made, 5);
    assert_ok(made.context, thaw_trainer_save(made.trainer, path));
    float *trained = support_weights(made.model, &count);
    close_fixture(&made);
    open_fixture(&made, NULL);
    assert_ok(made.context,
              thaw_weights_load(made.model, path, &(thaw_load_options){ .allow_unexpected = true }, NULL));
    float *loaded = support_weights(made.model, &count);
    cr_assert_eq(memcmp(trained, loaded, count * sizeof *trained), 0);
    free(trained);
    free(loaded);
    close_fixture(&made);
}

/* ---------------------------------------------------------------- what is refused */

static void another_batch(fixture *made)
{
    made->options.batch = 15;
}

static void another_sharding(fixture *made)
{
    made->options.shards = 2;
}

static void another_seed(fixture *made)
{
    made->options.seed = 77;
}

static void another_schedule(fixture *made)
{
    made->options.schedule = (thaw_schedule){ .kind = THAW_SCHEDULE_STEP };
}

static void another_clip(fixture *made)
{
    made->options.clip_norm = 2;
}

static void another_optimizer(fixture *made)
{
    support_optimize(made->model, "adam:lr=0.02");
}

static void another_freezing(fixture *made)
{
    assert_ok(made->context, thaw_model_freeze(made->model, "conv2"));
}

static void another_strategy(fixture *made)
{
    made->options.strategy = &adapters;
}

static void another_description(fixture *made)
{
    made->options.checkpoint.description = "with stronger dropout";
}

static void another_network(fixture *made)
{
    thaw_model_destroy(made->model);
    made->model = support_network(made->context, false);
    support_optimize(made->model, "adam:lr=0.01");
}

static void more_samples(fixture *made)
{
    thaw_dataset_destroy(made->data);
    made->data = support_samples(made->context, SAMPLES + 1, SEED);
}

static void other_samples(fixture *made)
{
    thaw_dataset_destroy(made->data);
    made->data = support_samples(made->context, SAMPLES, SEED + 1);
}

static void no_order(fixture *made)
{
    made->options.no_shuffle = true;
}

static void fewer_epochs(fixture *made)
{
    made->options.epochs = 1;
}

static const struct {
    setter *set;
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

Test(checkpoint, of_another_run_is_refused_by_name)
{
    fixture made;
    open_fixture(&made, NULL);
    take_steps(&made, 4);
    assert_ok(made.context, thaw_trainer_save(made.trainer, path));
    close_fixture(&made);
    for (size_t i = 0; i < THAW_COUNT(others); i++) {
        size_t count;
        open_fixture(&made, others[i].set);
        float *before = support_weights(made.model, &count);
        assert_fails(made.context, thaw_trainer_load(made.trainer, path), THAW_INVALID_ARGUMENT, others[i].named);
        float *after = support_weights(made.model, &count);
        cr_assert_eq(memcmp(before, after, count * sizeof *before), 0, "%s: changed the model", others[i].named);
        take_steps(&made, 1);
        free(before);
        free(after);
        close_fixture(&made);
    }
}

static void more_epochs(fixture *made)
{
    made->options.epochs = 6;
}

Test(checkpoint, of_a_shorter_run_goes_on_longer)
{
    fixture made;
    open_fixture(&made, NULL);
    take_steps(&made, SIZE_MAX);
    assert_ok(made.context, thaw_trainer_save(made.trainer, path));
    close_fixture(&made);
    open_fixture(&made, more_epochs);
    assert_ok(made.context, thaw_trainer_load(made.trainer, path));
    cr_assert_not(thaw_trainer_done(made.trainer));
    take_steps(&made, SIZE_MAX);
    cr_assert_eq(thaw_trainer_position_of(made.trainer).epoch, 6);
    close_fixture(&made);
}

/* A file that is whole but something else. */
Test(checkpoint, is_no_file_of_weights)
{
    fixture made;
    open_fixture(&made, NULL);
    assert_ok(made.context, thaw_weights_save(made.model, path));
    assert_fails(made.context, thaw_trainer_load(made.trainer, path), THAW_BAD_FORMAT, "does not end in a checksum");
    assert_fails(made.context, thaw_trainer_load(made.trainer, "nowhere/x"), THAW_IO_ERROR, "nowhere/x");
    assert_fails(made.context, thaw_trainer_load(made.trainer, NULL), THAW_INVALID_ARGUMENT, "missing");
    assert_fails(made.context, thaw_trainer_save(made.trainer, NULL), THAW_INVALID_ARGUMENT, "missing");
    assert_fails(made.context, thaw_trainer_save(made.trainer, "nowhere/x"), THAW_IO_ERROR, "nowhere/x");
    assert_fails(made.context, thaw_trainer_checkpoint(made.trainer), THAW_INVALID_ARGUMENT, "no folder");
    cr_assert_null(thaw_trainer_checkpoint_path(made.trainer));
    close_fixture(&made);
}
