/* A small BERT, whatever of it is frozen: gradients, features that are cached, adapters, shards, plans, checkpoints. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/combine.h>
#include <thaw/layers.h>
#include <thaw/plan.h>
#include <thaw/trainer.h>

#include "models/text_batch.h"
#include "support/files.h"
#include "support/network.h"

/* From the inputs up. */
static const char *const units[] = {
    "bert.embeddings.*",
    "bert.encoder.layer.0.attention.*",
    "bert.encoder.layer.0.{intermediate,output}.*",
    "bert.encoder.layer.1.attention.*",
    "bert.encoder.layer.1.{intermediate,output}.*",
    "bert.pooler.*|classifier",
};
enum { UNITS = 6, ALL = (1 << UNITS) - 1 };

static thaw_model *open_model(thaw_context *context, const char *name, const char *more)
{
    thaw_node node;
    thaw_model *model = text_network(context, name, more, &node);
    assert_ok(context, thaw_softmax_cross_entropy(model, node, NULL, &node));
    return model;
}

static void train_only(thaw_model *model, unsigned trainable)
{
    for (size_t i = 0; i < UNITS; i++)
        assert_ok(thaw_model_context(model),
                  trainable >> i & 1 ? thaw_model_unfreeze(model, units[i]) : thaw_model_freeze(model, units[i]));
}

static double step(thaw_model *model, const thaw_step_options *options)
{
    text_batch batch;
    thaw_step_result result;
    text_batch_fill(&batch);
    assert_ok(thaw_model_context(model), thaw_step(model, batch.inputs, &batch.targets, options, &result));
    return result.loss;
}

/* What trains in `model` has the gradients that it has in `full`. */
static void compare_gradients(thaw_model *model, thaw_model *full, const char *what)
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const float *gradient = thaw_parameter_gradient(parameter);
        const float *expected = thaw_parameter_gradient(thaw_model_parameter(full, i));
        cr_assert((gradient != NULL) == (thaw_parameter_trainable(parameter) && expected), "%s: %s", what,
                  thaw_parameter_name(parameter));
        for (size_t k = 0; gradient && k < thaw_shape_count(thaw_parameter_shape(parameter)); k++)
            cr_assert(fabs((double)(gradient[k] - expected[k])) <= 1e-6, "%s: %s, element %zu: %.9g, must be %.9g",
                      what, thaw_parameter_name(parameter), k, (double)gradient[k], (double)expected[k]);
    }
}

static void check_subsets(const char *name, const char *more)
{
    thaw_context *context = support_context(2);
    const thaw_step_options only_gradients = { .gradients_only = true };
    thaw_model *full = open_model(context, name, more), *model = open_model(context, name, more);
    const double loss = step(full, &only_gradients);
    for (unsigned trainable = 1; trainable <= ALL; trainable++) {
        char what[64];
        snprintf(what, sizeof what, "%s, subset %u", name, trainable);
        train_only(model, trainable);
        cr_assert_float_eq(step(model, &only_gradients), loss, 1e-6, "%s", what);
        compare_gradients(model, full, what);
    }
    thaw_model_destroy(model);
    thaw_model_destroy(full);
    thaw_context_destroy(context);
}

Test(text_freezing, gradients_of_what_trains_are_those_of_full_training)
{
    check_subsets("bert-base", ",layers=2");
    check_subsets("minilm-l6", "");
}

Test(text_freezing, every_plan_has_the_same_gradients)
{
    const thaw_step_options only_gradients = { .gradients_only = true };
    thaw_context *context = support_context(2);
    thaw_model *full = open_model(context, "bert-base", "");
    const double loss = step(full, &only_gradients);
    for (unsigned way = 0; way < 12; way++) {
        char what[64];
        const thaw_step_options options = { .gradients_only = true, .shards = 1 + way / 4 };
        thaw_model *model = open_model(context, "bert-base", "");
        snprintf(what, sizeof what, "way %u", way);
        thaw_model_set_fusion(model, way & 1);
        thaw_model_set_recompute(model, way & 2);
        cr_assert_float_eq(step(model, &options), loss, 1e-6, "%s", what);
        compare_gradients(model, full, what);
        thaw_model_destroy(model);
    }
    thaw_model_destroy(full);
    thaw_context_destroy(context);
}

/* Adapters start at no change, and their gradients are those of the weights: B's is the weight's times A. */
Test(text_freezing, adapters_on_queries_have_the_weights_gradients)
{
    enum { WIDTH = 24, RANK = 2 };
    const thaw_step_options only_gradients = { .gradients_only = true };
    thaw_context *context = support_context(2);
    thaw_model *full = open_model(context, "bert-base", ""), *model = open_model(context, "bert-base", "");
    assert_ok(context, thaw_model_freeze(model, "*"));
    assert_ok(context, thaw_lora(model, "*attention*query*", RANK, RANK));
    const double loss = step(full, &only_gradients);
    cr_assert_float_eq(step(model, &only_gradients), loss, 1e-6);
    for (int layer = 0; layer < 3; layer++) {
        char name[96];
        snprintf(name, sizeof name, "bert.encoder.layer.%d.attention.self.query.weight", layer);
        const float *gradient = thaw_parameter_gradient(thaw_model_find_parameter(full, name));
        snprintf(name, sizeof name, "bert.encoder.layer.%d.attention.self.query.weight.lora_A", layer);
        const float *down = thaw_parameter_data(thaw_model_find_parameter(model, name));
        snprintf(name, sizeof name, "bert.encoder.layer.%d.attention.self.query.weight.lora_B", layer);
        const float *found = thaw_parameter_gradient(thaw_model_find_parameter(model, name));
        for (int o = 0; o < WIDTH; o++)
            for (int r = 0; r < RANK; r++) {
                double expected = 0;
                for (int i = 0; i < WIDTH; i++)
                    expected += (double)gradient[o * WIDTH + i] * (double)down[r * WIDTH + i];
                cr_assert_float_eq((double)found[o * RANK + r], expected, 1e-6, "%s, %d, %d", name, o, r);
            }
    }
    thaw_model_destroy(model);
    thaw_model_destroy(full);
    thaw_context_destroy(context);
}

/* ---- runs ---- */

enum { EPOCHS = 3, BATCH = 2 };

typedef struct run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    text_batch batch;
    size_t cached_epochs;
    thaw_trainer *trainer;
} run;

static bool count_cached(void *user, const thaw_epoch_result *epoch)
{
    *(size_t *)user += epoch->cached;
    return true;
}

/* With dropout of every kind. */
static void open_run(run *r, const char *name, unsigned trainable, size_t cache_bytes)
{
    const char *const fields[] = { "token_ids", "lengths", "token_types" };
    *r = (run){ .context = support_context(2) };
    r->model = open_model(r->context, name, ",layers=2,hidden-dropout=0.1,attention-dropout=0.2");
    text_batch_fill(&r->batch);
    assert_ok(r->context, thaw_dataset_from_fields(r->context, r->batch.inputs, fields, 3, &r->batch.targets,
                                                   TEXT_CLASSES, &r->data));
    support_optimize(r->model, "adamw:lr=0.01");
    train_only(r->model, trainable);
    const thaw_fit_options options = { .epochs = EPOCHS,
                                       .batch = BATCH,
                                       .cache_bytes = cache_bytes,
                                       .on_epoch = count_cached,
                                       .user = &r->cached_epochs };
    assert_ok(r->context, thaw_trainer_create(r->model, r->data, &options, &r->trainer));
}

static void close_run(run *r)
{
    thaw_trainer_destroy(r->trainer);
    thaw_dataset_destroy(r->data);
    thaw_model_destroy(r->model);
    thaw_context_destroy(r->context);
}

static float *finish(run *r, size_t *count)
{
    while (!thaw_trainer_done(r->trainer))
        assert_ok(r->context, thaw_trainer_step(r->trainer, NULL));
    return support_weights(r->model, count);
}

static float *train(const char *name, unsigned trainable, size_t cache_bytes, size_t *cached_epochs, size_t *count)
{
    run r;
    open_run(&r, name, trainable, cache_bytes);
    float *weights = finish(&r, count);
    *cached_epochs = r.cached_epochs;
    close_run(&r);
    return weights;
}

/* The whole body is frozen, or all up to somewhere. */
Test(text_freezing, cached_features_change_no_bit)
{
    static const char *const names[] = { "bert-base", "minilm-l6" };
    const unsigned subsets[] = { 0x20, 0x30, 0x38, 0x3C };
    for (size_t i = 0; i < THAW_COUNT(names) * THAW_COUNT(subsets); i++) {
        const char *name = names[i % THAW_COUNT(names)];
        const unsigned trainable = subsets[i / THAW_COUNT(names)];
        size_t count, none, cached;
        float *plain = train(name, trainable, 0, &none, &count);
        float *fast = train(name, trainable, 1 << 24, &cached, &count);
        cr_assert(none == 0 && cached == EPOCHS - 1, "%s, %x: %zu cached epochs", name, trainable, cached);
        cr_assert(memcmp(plain, fast, count * sizeof *plain) == 0, "%s, %x", name, trainable);
        free(plain);
        free(fast);
    }
}

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

Test(text_freezing, a_run_that_was_cut_continues_with_its_bits, .init = begin, .fini = end)
{
    for (size_t cut = 1; cut < EPOCHS * 2; cut += 2) {
        size_t count;
        run whole, first, second;
        open_run(&whole, "bert-base", 0x34, 0);
        open_run(&first, "bert-base", 0x34, 0);
        open_run(&second, "bert-base", 0x34, 0);
        for (size_t i = 0; i < cut; i++)
            assert_ok(first.context, thaw_trainer_step(first.trainer, NULL));
        assert_ok(first.context, thaw_trainer_save(first.trainer, path));
        assert_ok(second.context, thaw_trainer_load(second.trainer, path));
        float *expected = finish(&whole, &count), *found = finish(&second, &count);
        cr_assert(memcmp(expected, found, count * sizeof *found) == 0, "cut after step %zu", cut);
        free(expected);
        free(found);
        close_run(&whole);
        close_run(&first);
        close_run(&second);
    }
}
