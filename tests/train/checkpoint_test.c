/* What a checkpoint must hold besides what continuing_test.c cuts: adapters that rules add, several optimizers,
   optimizers of the host's own, rounded caches, changes by callbacks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/checkpoint_run.h"

TestSuite(checkpoint, .init = checkpoint_begin, .fini = checkpoint_end);

/* The weights of a run that is cut after so many steps (0: never). */
static float *weights_of(checkpoint_setter *set, size_t cut, size_t *count)
{
    checkpoint_run made;
    checkpoint_open(&made, set);
    if (cut) {
        checkpoint_step(&made, cut);
        assert_ok(made.context, thaw_trainer_save(made.trainer, checkpoint_path));
        checkpoint_close(&made);
        checkpoint_open(&made, set);
        assert_ok(made.context, thaw_trainer_load(made.trainer, checkpoint_path));
        const thaw_trainer_position position = thaw_trainer_position_of(made.trainer);
        cr_assert_eq(position.all_steps, cut);
        cr_assert_eq(position.epoch, (int)((cut - 1) / CHECKPOINT_STEPS + 1));
    }
    checkpoint_step(&made, SIZE_MAX);
    float *weights = support_weights(made.model, count);
    checkpoint_close(&made);
    return weights;
}

static void assert_continues(checkpoint_setter *set, size_t steps)
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

static void with_adapters(checkpoint_run *made)
{
    made->options.strategy = &checkpoint_adapters;
    made->options.no_shuffle = true;
}

Test(checkpoint, adapters_that_rules_have_added_continue)
{
    assert_continues(with_adapters, 4 * CHECKPOINT_STEPS);
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
    checkpoint_run *made = user;
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

static void with_own_optimizer(checkpoint_run *made)
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
    assert_continues(with_own_optimizer, 4 * CHECKPOINT_STEPS);
}

/* Rounded values come from the cache or are rounded where they are computed; in the last epoch, too. */
static void with_rounded_cache(checkpoint_run *made)
{
    support_train_only(made->model, 0x1C);
    made->options.cache_bytes = 1 << 20;
    made->options.cache_dtype = THAW_BF16;
}

Test(checkpoint, a_rounded_cache_in_memory_continues)
{
    assert_continues(with_rounded_cache, 4 * CHECKPOINT_STEPS);
}

static char features[SUPPORT_PATH_BYTES];

static void with_cache_file(checkpoint_run *made)
{
    support_train_only(made->model, 0x1C);
    made->options.cache_file = support_path(features, checkpoint_folder, "features");
}

Test(checkpoint, a_cache_file_continues)
{
    assert_continues(with_cache_file, 4 * CHECKPOINT_STEPS);
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

static void with_random_data(checkpoint_run *made)
{
    const thaw_source source = {
        .count = CHECKPOINT_SAMPLES,
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
    assert_continues(with_random_data, 2 * CHECKPOINT_STEPS);
}

static void with_shards(checkpoint_run *made)
{
    made->options.shards = 4;
    made->options.clip_norm = 0.5;
}

Test(checkpoint, steps_in_shards_continue)
{
    assert_continues(with_shards, 2 * CHECKPOINT_STEPS);
}

/* Steps that depend on norms, of a parameter with a slice that is frozen, too. */
static void with_norms(checkpoint_run *made)
{
    thaw_optimizer *lars;
    support_optimize(made->model, "lamb:lr=0.01");
    assert_ok(made->context, thaw_optimizer_create(made->context, "lars:lr=0.1,weight_decay=0.01", &lars));
    assert_ok(made->context, thaw_select_optimizer(made->model, "conv*", lars));
    assert_ok(made->context, thaw_freeze_slice(made->model, "dense1.weight", 0, 1, 4));
    thaw_optimizer_destroy(lars);
    made->options.shards = 4;
    made->options.clip_norm = 0.5;
}

Test(checkpoint, steps_that_depend_on_norms_continue)
{
    assert_continues(with_norms, 2 * CHECKPOINT_STEPS);
}

/* ---------------------------------------------------------------- the same trainer goes back */

Test(checkpoint, a_trainer_goes_back_to_where_it_was)
{
    checkpoint_run made;
    size_t count;
    checkpoint_open(&made, NULL);
    checkpoint_step(&made, 4);
    assert_ok(made.context, thaw_trainer_save(made.trainer, checkpoint_path));
    checkpoint_step(&made, 5);
    float *first = support_weights(made.model, &count);
    const double loss = thaw_trainer_result(made.trainer)->loss;
    assert_ok(made.context, thaw_trainer_load(made.trainer, checkpoint_path));
    cr_assert_eq(thaw_trainer_position_of(made.trainer).all_steps, 4);
    cr_assert_eq(thaw_trainer_position_of(made.trainer).samples, CHECKPOINT_SAMPLES + CHECKPOINT_BATCH);
    checkpoint_step(&made, 5);
    float *second = support_weights(made.model, &count);
    cr_assert_eq(memcmp(first, second, count * sizeof *first), 0);
    cr_assert_eq(thaw_trainer_result(made.trainer)->loss, loss);
    free(first);
    free(second);
    checkpoint_close(&made);
}

/* Plain names: the checkpoint serves as a file of weights. */
Test(checkpoint, holds_the_weights_under_their_names)
{
    checkpoint_run made;
    size_t count;
    checkpoint_open(&made, NULL);
    checkpoint_step(&made, 5);
    assert_ok(made.context, thaw_trainer_save(made.trainer, checkpoint_path));
    float *trained = support_weights(made.model, &count);
    checkpoint_close(&made);
    checkpoint_open(&made, NULL);
    assert_ok(made.context,
              thaw_weights_load(made.model, checkpoint_path, &(thaw_load_options){ .allow_unexpected = true }, NULL));
    float *loaded = support_weights(made.model, &count);
    cr_assert_eq(memcmp(trained, loaded, count * sizeof *trained), 0);
    free(trained);
    free(loaded);
    checkpoint_close(&made);
}
