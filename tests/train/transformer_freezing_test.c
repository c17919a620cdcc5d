/* A small GPT-2, whose head is its table of tokens, and a small ViT, whatever of them is frozen: gradients, plans,
   features that are cached, runs that are cut. text_freezing_test.c does the same for BERT. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/layers.h>
#include <thaw/plan.h>
#include <thaw/trainer.h>
#include <thaw/zoo.h>

#include "models/text_batch.h"
#include "support/files.h"
#include "support/network.h"

enum { UNITS = 6, ALL = (1 << UNITS) - 1, SAMPLES = TEXT_SAMPLES, SIDE = 12, PIXELS = SAMPLES * SIDE * SIDE * 3 };

/* From the inputs up. */
static const char *const gpt2_units[UNITS] = {
    "transformer.wte",
    "transformer.wpe",
    "transformer.h.0.*",
    "transformer.h.1.{ln_1,attn.*}",
    "transformer.h.1.{ln_2,mlp.*}",
    "transformer.ln_f",
};
static const char *const vit_units[UNITS] = {
    "vit.embeddings.*",
    "vit.encoder.layer.0.{attention.*,layernorm_before}",
    "vit.encoder.layer.0.{intermediate.*,output.*,layernorm_after}",
    "vit.encoder.layer.1.{attention.*,layernorm_before}",
    "vit.encoder.layer.1.{intermediate.*,output.*,layernorm_after}",
    "vit.layernorm|classifier",
};

static const struct network {
    bool text;
    const char *const *units;
} networks[] = { { true, gpt2_units }, { false, vit_units } };

typedef struct batch {
    text_batch texts;
    int32_t next[TEXT_IDS];
    float pixels[PIXELS];
    thaw_tensor images;
} batch;

/* The token that follows is the label, but behind a text's end. */
static void fill(const struct network *n, batch *b)
{
    text_batch_fill(&b->texts);
    if (n->text) {
        for (int32_t i = 0; i < TEXT_IDS; i++)
            b->next[i] = i % TEXT_LENGTH < text_lengths[i / TEXT_LENGTH] - 1 ? b->texts.ids[i + 1] : THAW_IGNORED_TOKEN;
        b->texts.targets = thaw_view_i32(b->next, 2, (int64_t[]){ SAMPLES, TEXT_LENGTH });
    }
    support_fill(b->pixels, PIXELS, 7);
    b->images = thaw_view_f32(b->pixels, 4, (int64_t[]){ SAMPLES, SIDE, SIDE, 3 });
}

static thaw_model *open_model(const struct network *n, thaw_context *context, bool drops)
{
    thaw_node node;
    thaw_model *model = NULL;
    if (n->text) {
        model = text_network(context, "gpt2", drops ? ",hidden-dropout=0.1,attention-dropout=0.2" : "", &node);
        assert_ok(context, thaw_token_cross_entropy(model, node, NULL, &node));
        return model;
    }
    char description[128];
    snprintf(description, sizeof description, "vit:layers=2,width=12,heads=3,hidden=20,patch=4,size=%d%s", SIDE,
             drops ? ",dropout=0.1,drop-path=0.3" : "");
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, description, TEXT_CLASSES));
    return model;
}

static void train_only(const struct network *n, thaw_model *model, unsigned trainable)
{
    for (size_t i = 0; i < UNITS; i++)
        assert_ok(thaw_model_context(model),
                  trainable >> i & 1 ? thaw_model_unfreeze(model, n->units[i]) : thaw_model_freeze(model, n->units[i]));
}

static double step(const struct network *n, thaw_model *model, const thaw_step_options *options)
{
    static batch b;
    thaw_step_result result;
    fill(n, &b);
    assert_ok(thaw_model_context(model),
              thaw_step(model, n->text ? b.texts.inputs : &b.images, &b.texts.targets, options, &result));
    return result.loss;
}

/* ---- gradients ---- */

/* What trains in `model` has its gradients in `full`. Returns how many do. */
static size_t compare_gradients(thaw_model *model, thaw_model *full, const char *what)
{
    size_t compared = 0;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const float *gradient = thaw_parameter_gradient(parameter);
        const float *expected = thaw_parameter_gradient(thaw_model_parameter(full, i));
        cr_assert((gradient != NULL) == (thaw_parameter_trainable(parameter) && expected), "%s: %s", what,
                  thaw_parameter_name(parameter));
        compared += gradient != NULL;
        for (size_t k = 0; gradient && k < thaw_shape_count(thaw_parameter_shape(parameter)); k++)
            cr_assert(fabs((double)(gradient[k] - expected[k])) <= 1e-6, "%s: %s, element %zu: %.9g, must be %.9g",
                      what, thaw_parameter_name(parameter), k, (double)gradient[k], (double)expected[k]);
    }
    return compared;
}

Test(transformer_freezing, gradients_of_what_trains_are_those_of_full_training)
{
    const thaw_step_options only_gradients = { .gradients_only = true };
    for (size_t i = 0; i < THAW_COUNT(networks); i++) {
        const struct network *n = &networks[i];
        thaw_context *context = support_context(2);
        thaw_model *full = open_model(n, context, false), *model = open_model(n, context, false);
        const double loss = step(n, full, &only_gradients);
        for (unsigned trainable = 1; trainable <= ALL; trainable++) {
            char what[64];
            snprintf(what, sizeof what, "network %zu, subset %u", i, trainable);
            train_only(n, model, trainable);
            cr_assert_float_eq(step(n, model, &only_gradients), loss, 1e-6, "%s", what);
            cr_assert_gt(compare_gradients(model, full, what), 0, "%s", what);
        }
        thaw_model_destroy(model);
        thaw_model_destroy(full);
        thaw_context_destroy(context);
    }
}

/* The table reads tokens and is the head: alone, too, it has the gradient of both uses. */
Test(transformer_freezing, a_tied_table_has_the_slope_of_both_uses)
{
    const thaw_step_options only_gradients = { .gradients_only = true };
    const struct network *n = &networks[0];
    const float distance = 1e-2F;
    thaw_context *context = support_context(2);
    thaw_model *model = open_model(n, context, false);
    thaw_parameter *table = thaw_model_find_parameter(model, "transformer.wte.weight");
    train_only(n, model, 1);
    step(n, model, &only_gradients);
    for (size_t k = 0; k < thaw_shape_count(thaw_parameter_shape(table)); k += 29) {
        step(n, model, &only_gradients);
        const double slope = (double)thaw_parameter_gradient(table)[k];
        thaw_parameter_edit(table)[k] += distance;
        const double above = step(n, model, &only_gradients);
        thaw_parameter_edit(table)[k] -= 2 * distance;
        const double below = step(n, model, &only_gradients);
        thaw_parameter_edit(table)[k] += distance;
        const double found = (above - below) / (2 * (double)distance);
        cr_assert(fabs(slope - found) <= 2e-4, "element %zu: %g, not %g", k, slope, found);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(transformer_freezing, every_plan_has_the_same_gradients)
{
    const thaw_step_options only_gradients = { .gradients_only = true };
    const unsigned subsets[] = { ALL, 0x38 };
    for (size_t i = 0; i < THAW_COUNT(networks) * 2; i++) {
        const struct network *n = &networks[i / 2];
        thaw_context *context = support_context(2);
        thaw_model *full = open_model(n, context, false);
        const double loss = step(n, full, &only_gradients);
        for (unsigned way = 0; way < 12; way++) {
            char what[64];
            const thaw_step_options options = { .gradients_only = true, .shards = 1 + way / 4 };
            thaw_model *model = open_model(n, context, false);
            snprintf(what, sizeof what, "network %zu, way %u", i, way);
            train_only(n, model, subsets[i % 2]);
            thaw_model_set_fusion(model, way & 1);
            thaw_model_set_recompute(model, way & 2);
            cr_assert_float_eq(step(n, model, &options), loss, 1e-6, "%s", what);
            compare_gradients(model, full, what);
            thaw_model_destroy(model);
        }
        thaw_model_destroy(full);
        thaw_context_destroy(context);
    }
}

/* ---- runs ---- */

enum { EPOCHS = 3, BATCH = 2 };

typedef struct run {
    thaw_context *context;
    thaw_model *model;
    thaw_dataset *data;
    batch batch;
    size_t cached_epochs;
    thaw_trainer *trainer;
} run;

static bool count_cached(void *user, const thaw_epoch_result *epoch)
{
    *(size_t *)user += epoch->cached;
    return true;
}

/* With dropout of every kind. */
static void open_run(run *r, const struct network *n, unsigned trainable, size_t cache_bytes)
{
    const char *const fields[] = { "token_ids", "lengths" };
    *r = (run){ .context = support_context(2) };
    r->model = open_model(n, r->context, true);
    fill(n, &r->batch);
    const text_batch *texts = &r->batch.texts;
    assert_ok(r->context, n->text ? thaw_dataset_from_fields(r->context, texts->inputs, fields, 2, &texts->targets,
                                                             TEXT_VOCABULARY, &r->data)
                                  : thaw_dataset_from_arrays(r->context, &r->batch.images, &texts->targets,
                                                             TEXT_CLASSES, &r->data));
    support_optimize(r->model, "adamw:lr=0.01");
    train_only(n, r->model, trainable);
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

/* All is frozen up to somewhere. Behind the last attention of GPT-2 nothing reads the lengths, but batches of the cache
   must have them all the same: other elements are dropped at another length. */
Test(transformer_freezing, cached_features_change_no_bit)
{
    const unsigned cases[][2] = { { 0, 0x20 }, { 0, 0x30 }, { 0, 0x38 }, { 0, 0x3C },
                                  { 1, 0x20 }, { 1, 0x30 }, { 1, 0x38 } };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const struct network *n = &networks[cases[i][0]];
        static run plain, fast;
        size_t count;
        open_run(&plain, n, cases[i][1], 0);
        open_run(&fast, n, cases[i][1], 1 << 24);
        float *expected = finish(&plain, &count), *found = finish(&fast, &count);
        cr_assert(plain.cached_epochs == 0 && fast.cached_epochs == EPOCHS - 1, "case %zu: %zu cached epochs", i,
                  fast.cached_epochs);
        cr_assert(memcmp(expected, found, count * sizeof *found) == 0, "case %zu", i);
        free(expected);
        free(found);
        close_run(&plain);
        close_run(&fast);
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

Test(transformer_freezing, a_run_that_was_cut_continues_with_its_bits, .init = begin, .fini = end)
{
    for (size_t i = 0; i < THAW_COUNT(networks) * 3; i++) {
        const struct network *n = &networks[i / 3];
        static run whole, first, second;
        size_t count;
        open_run(&whole, n, 0x35, 0);
        open_run(&first, n, 0x35, 0);
        open_run(&second, n, 0x35, 0);
        for (size_t k = 0; k < 1 + 2 * (i % 3); k++)
            assert_ok(first.context, thaw_trainer_step(first.trainer, NULL));
        assert_ok(first.context, thaw_trainer_save(first.trainer, path));
        assert_ok(second.context, thaw_trainer_load(second.trainer, path));
        float *expected = finish(&whole, &count), *found = finish(&second, &count);
        cr_assert(memcmp(expected, found, count * sizeof *found) == 0, "case %zu", i);
        free(expected);
        free(found);
        close_run(&whole);
        close_run(&first);
        close_run(&second);
    }
}
