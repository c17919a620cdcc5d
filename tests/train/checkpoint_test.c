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

/* A layer of 60 x 80 has state in fewer bits; it and others are frozen and thawed. */
static thaw_model *wide_network(thaw_context *context)
{
    thaw_model *model;
    thaw_node x;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ .rank = 3, .dims = { 9, 7, 2 } }, &x));
    assert_ok(context, thaw_flatten(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense1", .units = 80 }, &x));
    assert_ok(context, thaw_tanh(model, x, NULL, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense2", .units = 60 }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense3", .units = NETWORK_CLASSES }, &x));
    assert_ok(context, thaw_softmax_cross_entropy(model, x, NULL, &x));
    return model;
}

static const thaw_strategy_rule late[] = {
    { .epoch = 1, .pattern = "dense2", .action = THAW_ACTION_FREEZE },
    { .epoch = 2, .pattern = "dense2", .action = THAW_ACTION_UNFREEZE },
    { .epoch = 3, .pattern = "dense2", .action = THAW_ACTION_FREEZE },
};
static const thaw_strategy thaws_late = { .name = "late", .rules = late, .rule_count = THAW_COUNT(late) };

static void with_wide_network(checkpoint_run *made, const char *description)
{
    thaw_model_destroy(made->model);
    made->model = wide_network(made->context);
    support_optimize(made->model, description);
    made->options.strategy = &thaws_late;
}

static void with_8_bits(checkpoint_run *made)
{
    with_wide_network(made, "adamw:lr=0.01,state=8bit");
}

static void with_bfloat16(checkpoint_run *made)
{
    with_wide_network(made, "sgd:lr=0.01,momentum=0.9,state=bf16");
}

static void with_floats(checkpoint_run *made)
{
    with_wide_network(made, "adamw:lr=0.01");
}

Test(checkpoint, state_in_fewer_bits_continues)
{
    assert_continues(with_8_bits, 4 * CHECKPOINT_STEPS);
    assert_continues(with_bfloat16, 4 * CHECKPOINT_STEPS);
}

Test(checkpoint, state_of_other_bits_is_refused)
{
    checkpoint_run made;
    checkpoint_open(&made, with_8_bits);
    checkpoint_step(&made, CHECKPOINT_STEPS + 1);
    assert_ok(made.context, thaw_trainer_save(made.trainer, checkpoint_path));
    checkpoint_close(&made);
    checkpoint_open(&made, with_floats);
    assert_fails(made.context, thaw_trainer_load(made.trainer, checkpoint_path), THAW_INVALID_ARGUMENT, "state=8bit");
    checkpoint_close(&made);
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

static void use_random_data(checkpoint_run *made, size_t views)
{
    told = 0;
    const thaw_source source = {
        .count = CHECKPOINT_SAMPLES,
        .sample_shape = { 3, { 9, 7, 2 } },
        .target_dtype = THAW_I32,
        .classes = NETWORK_CLASSES,
        .random = true,
        .views = views,
        .start_epoch = start_epoch,
        .read = read_random,
    };
    thaw_dataset_destroy(made->data);
    assert_ok(made->context, thaw_dataset_create(made->context, &source, &made->data));
}

static void with_random_data(checkpoint_run *made)
{
    use_random_data(made, 0);
}

Test(checkpoint, augmented_data_continue)
{
    assert_continues(with_random_data, 2 * CHECKPOINT_STEPS);
}

/* In the middle of epochs that fill views and that read them; the last one is rounded, too. */
static void with_views(checkpoint_run *made)
{
    with_rounded_cache(made);
    use_random_data(made, 2);
}

Test(checkpoint, views_continue)
{
    assert_continues(with_views, 4 * CHECKPOINT_STEPS);
}

/* Of features, which are rounded, and multiplied by noise. */
static void with_mixing(checkpoint_run *made)
{
    with_rounded_cache(made);
    made->options.mixing = (thaw_mixing_options){ .feature_mixup = 0.4, .feature_noise = 0.1 };
}

Test(checkpoint, mixing_continues)
{
    assert_continues(with_mixing, 2 * CHECKPOINT_STEPS);
}

static void with_one_of_two_views(checkpoint_run *made)
{
    with_views(made);
    made->options.cache_dtype = THAW_F32;
    made->options.cache_bytes = CHECKPOINT_SAMPLES * (30 * 4 + 4) * 3 / 2;
}

Test(checkpoint, fewer_views_continue)
{
    assert_continues(with_one_of_two_views, 2 * CHECKPOINT_STEPS);
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
