/* Predictors that end at a layer: their features, the layers behind by loops of the test's own, are the whole answer. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <thaw/zoo.h>

#include "support/files.h"
#include "support/support.h"

enum { CLASSES = 5, SAMPLES = 3, SIDE = 28, UNITS = 128 };

static thaw_context *context;
static char directory[SUPPORT_PATH_BYTES], weights[SUPPORT_PATH_BYTES];
static float samples[SAMPLES][SIDE * SIDE];

/* Untrained weights of a network, with adapters below and above the layer. */
static void save(const char *network, const char *adapted)
{
    thaw_model *model;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, network, CLASSES));
    if (adapted)
        assert_ok(context, thaw_lora(model, adapted, 2, 2));
    assert_ok(context, thaw_weights_save(model, weights));
    thaw_model_destroy(model);
}

static void begin(void)
{
    context = support_context(2);
    support_make_directory(directory);
    support_path(weights, directory, "weights");
    support_fill(samples[0], SAMPLES * SIDE * SIDE, 3);
}

static void end(void)
{
    support_remove_tree(directory);
    thaw_context_destroy(context);
}

TestSuite(predictor_layer, .init = begin, .fini = end);

static thaw_predictor *open_at(const char *layer)
{
    thaw_predictor *predictor;
    assert_ok(context, thaw_predictor_open(context, weights, &(thaw_predictor_options){ .layer = layer }, &predictor));
    return predictor;
}

static const float *values_of(thaw_model *model, const char *name)
{
    thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    cr_assert_not_null(parameter, "%s", name);
    return thaw_parameter_data(parameter);
}

static void answer(thaw_predictor *predictor, float *into)
{
    const thaw_tensor view = thaw_view_f32(samples[0], 4, (int64_t[]){ SAMPLES, SIDE, SIDE, 1 });
    assert_ok(context, thaw_predictor_samples(predictor, &view, into));
}

Test(predictor_layer, gives_what_the_layers_behind_it_take)
{
    static float features[SAMPLES][UNITS], scores[SAMPLES][CLASSES];
    save("transfer-cnn", NULL);
    thaw_predictor *whole = open_at(NULL), *cut = open_at("relu3");
    answer(whole, scores[0]);
    answer(cut, features[0]);
    const thaw_shape *shape = thaw_predictor_answer(cut);
    cr_assert(shape->rank == 1 && shape->dims[0] == UNITS);
    cr_assert(thaw_predictor_classes(cut) == 0 && !thaw_predictor_class_name(cut, 0));
    cr_assert(thaw_predictor_answer(whole)->dims[0] == CLASSES && thaw_predictor_classes(whole) == CLASSES);
    /* dense2: outputs x inputs, as PyTorch's. */
    const float *weight = values_of(thaw_predictor_model(whole), "dense2.weight");
    const float *bias = values_of(thaw_predictor_model(whole), "dense2.bias");
    for (int i = 0; i < SAMPLES; i++) {
        double powers[CLASSES], sum = 0;
        for (int c = 0; c < CLASSES; c++) {
            double total = (double)bias[c];
            for (int u = 0; u < UNITS; u++)
                total += (double)weight[c * UNITS + u] * (double)features[i][u];
            sum += powers[c] = exp(total);
        }
        for (int c = 0; c < CLASSES; c++)
            cr_assert(fabs(powers[c] / sum - (double)scores[i][c]) < 1e-6, "sample %d, class %d: %g, wanted %g", i, c,
                      powers[c] / sum, (double)scores[i][c]);
    }
    thaw_predictor_destroy(whole);
    thaw_predictor_destroy(cut);
}

/* The image's values, less those of padding: 3x3 filters of conv1 in loops. */
Test(predictor_layer, gives_images_of_a_convolution)
{
    enum { OUT = SIDE - 2, FILTERS = 32 };
    static float features[SAMPLES][OUT][OUT][FILTERS];
    save("transfer-cnn", NULL);
    thaw_predictor *cut = open_at("conv1");
    const thaw_shape *shape = thaw_predictor_answer(cut);
    cr_assert(shape->rank == 3 && shape->dims[0] == OUT && shape->dims[1] == OUT && shape->dims[2] == FILTERS,
              "%lld x %lld x %lld", (long long)shape->dims[0], (long long)shape->dims[1], (long long)shape->dims[2]);
    answer(cut, features[0][0][0]);
    thaw_model *model = thaw_predictor_model(cut);
    const float *weight = values_of(model, "conv1.weight"), *bias = values_of(model, "conv1.bias");
    for (int y = 0; y < OUT; y += 5)
        for (int x = 0; x < OUT; x += 7)
            for (int f = 0; f < FILTERS; f++) {
                double total = (double)bias[f];
                for (int k = 0; k < 9; k++)
                    total += (double)weight[f * 9 + k] * (double)samples[1][(y + k / 3) * SIDE + x + k % 3];
                cr_assert(fabs(total - (double)features[1][y][x][f]) < 1e-5, "(%d, %d, %d): %g, wanted %g", y, x, f,
                          (double)features[1][y][x][f], total);
            }
    thaw_predictor_destroy(cut);
}

Test(predictor_layer, leaves_out_what_is_behind_it)
{
    static float whole[SAMPLES][UNITS], again[SAMPLES][UNITS];
    const thaw_plan *plan;
    save("transfer-cnn", "dense*");
    thaw_predictor *cut = open_at("dense1");
    thaw_model *model = thaw_predictor_model(cut);
    thaw_summary_entry last;
    assert_ok(context, thaw_model_summary_entry(model, thaw_model_node_count(model) - 1, &last));
    cr_assert_str_eq(last.name, "dense1");
    cr_assert_null(thaw_model_find_parameter(model, "dense2.weight"));
    cr_assert_null(thaw_model_find_group(model, "dense2"));
    assert_ok(context, thaw_model_plan(model, &(thaw_plan_options){ .batch = SAMPLES, .inference = true }, &plan));
    for (size_t i = 0; i < thaw_plan_instruction_count(plan); i++) {
        thaw_plan_instruction one;
        assert_ok(context, thaw_plan_instruction_at(plan, i, &one));
        if (!one.layer)
            continue;
        cr_assert(!strstr(one.layer, "dense2") && !strstr(one.layer, "dropout2") && !strstr(one.layer, "loss"), "%s",
                  one.layer);
    }
    answer(cut, whole[0]);
    thaw_predictor_destroy(cut);
    /* The same from the file of merged weights, which has no adapters. */
    thaw_model *merged;
    assert_ok(context, thaw_model_create(context, &merged));
    assert_ok(context, thaw_zoo_build(merged, "transfer-cnn", CLASSES));
    assert_ok(context, thaw_weights_add_adapters(merged, weights, NULL));
    assert_ok(context, thaw_weights_load(merged, weights, NULL, NULL));
    assert_ok(context, thaw_merge(merged, "*"));
    assert_ok(context, thaw_weights_save(merged, weights));
    thaw_model_destroy(merged);
    cut = open_at("dense1");
    answer(cut, again[0]);
    for (int i = 0; i < SAMPLES; i++)
        for (int u = 0; u < UNITS; u++)
            cr_assert(fabsf(whole[i][u] - again[i][u]) < 1e-5F, "%d, %d: %g, wanted %g", i, u, (double)whole[i][u],
                      (double)again[i][u]);
    thaw_predictor_destroy(cut);
}

Test(predictor_layer, has_the_pool_s_name_of_torchvision)
{
    static const struct {
        const char *network;
        int64_t features;
    } cases[] = { { "resnet18:size=32", 512 },
                  { "mobilenet-v2:size=32", 1280 },
                  { "efficientnet-lite0:size=32", 1280 } };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        save(cases[i].network, NULL);
        thaw_predictor *cut = open_at("avgpool");
        cr_assert_eq(thaw_predictor_answer(cut)->dims[0], cases[i].features, "%s: %lld", cases[i].network,
                     (long long)thaw_predictor_answer(cut)->dims[0]);
        thaw_predictor_destroy(cut);
    }
}

Test(predictor_layer, suggests_the_nearest_name)
{
    thaw_predictor *predictor;
    save("transfer-cnn", NULL);
    static const struct {
        const char *layer, *message;
    } cases[] = { { "relu33", "has no layer \"relu33\", did you mean \"relu3\"?" },
                  { "input", "has no layer \"input\"" },
                  { "loss", "loss is the loss, which has no features" },
                  { "", "has no layer \"\"" },
                  { "something else entirely", "has no layer \"something else entirely\"" } };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        const thaw_predictor_options options = { .layer = cases[i].layer };
        assert_fails(context, thaw_predictor_open(context, weights, &options, &predictor), THAW_NOT_FOUND,
                     cases[i].message);
        cr_assert_null(predictor);
    }
}
