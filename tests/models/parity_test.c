/* Backbones beside torchvision's and timm's: tests/golden/backbones.py made the numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/formula.h"
#include "support/golden.h"
#include "support/network.h"
#include "support/support.h"

enum { MOST = 8, CLASSES = 10 };

static const double TOLERANCE = 1e-4;

typedef struct network {
    thaw_context *context;
    thaw_model *model;
    FILE *golden;
    thaw_tensor images, labels;
    thaw_shape input;
    int batch;
    int32_t label[MOST];
} network;

static void open_network(network *n, const char *name, const char *options, int batch, const char *branch_ends)
{
    char text[64];
    n->context = support_context(2);
    n->batch = batch;
    snprintf(text, sizeof text, "backbones/%s.txt", name);
    n->golden = golden_open(text);
    snprintf(text, sizeof text, "%s:%s", name, options);
    assert_ok(n->context, thaw_model_create(n->context, &n->model));
    assert_ok(n->context, thaw_zoo_build(n->model, text, CLASSES));
    formula_fill(n->model, branch_ends);

    const thaw_shape *sample = thaw_model_node_shape(n->model, 0);
    float *images = malloc((size_t)batch * thaw_shape_count(sample) * sizeof *images);
    formula_fill_images(images, (size_t)batch, sample);
    n->images = thaw_view_f32(images, 4, (int64_t[]){ batch, sample->dims[0], sample->dims[1], sample->dims[2] });
    for (int i = 0; i < batch; i++)
        n->label[i] = (3 * i + 1) % CLASSES;
    n->labels = thaw_view_i32(n->label, 1, (int64_t[]){ batch });
}

static void close_network(network *n)
{
    fclose(n->golden);
    free(n->images.data);
    thaw_model_destroy(n->model);
    thaw_context_destroy(n->context);
}

/* The difference of a tensor's norm and of its product with random numbers, against the norm: of a difference of
   relative norm e, the product differs by 0.6 e times the norm, more or less. A gradient that is zero but for rounding
   (of a bias before batch normalisation) has a norm that says nothing: `least` is what counts as zero. */
static void assert_tensor(const char *name, const float *values, size_t count, const double golden[2], double least)
{
    double norm, product;
    formula_measure(values, count, &norm, &product);
    const double allowed = TOLERANCE * fmax(golden[0], least);
    cr_assert(fabs(norm - golden[0]) <= allowed && fabs(product - golden[1]) <= allowed,
              "%s: norm %.9g, product %.9g, PyTorch's %.9g and %.9g", name, norm, product, golden[0], golden[1]);
}

/* Compares as many tensors as the next line says, which are in PyTorch's order. */
static void check_tensors(network *n, const char *what, size_t wanted, const float *(*get)(const thaw_parameter *),
                          double least)
{
    float count;
    golden_read(n->golden, what, &count, 1);
    cr_assert_eq((size_t)count, wanted, "%zu %s, PyTorch has %g", wanted, what, (double)count);
    for (size_t i = 0; i < wanted; i++) {
        char name[64] = "";
        double golden[2];
        cr_assert_eq(fscanf(n->golden, "%63s %lf %lf\n", name, &golden[0], &golden[1]), 3, "%s %zu", what, i);
        const thaw_parameter *parameter = thaw_model_find_parameter(n->model, name);
        cr_assert_not_null(parameter, "there is no parameter %s", name);
        cr_assert_not_null(get(parameter), "%s: no %s", name, what);
        assert_tensor(name, get(parameter), thaw_shape_count(thaw_parameter_shape(parameter)), golden, least);
    }
}

static size_t count_parameters(network *n, bool (*counts)(const thaw_parameter *))
{
    size_t count = 0;
    for (size_t i = 0; i < thaw_model_parameter_count(n->model); i++)
        count += counts(thaw_model_parameter(n->model, i));
    return count;
}

static bool is_statistic(const thaw_parameter *parameter)
{
    return thaw_parameter_role(parameter) == THAW_STATISTIC;
}

static void check_outputs(network *n)
{
    float logits[MOST * CLASSES], expected[MOST * CLASSES];
    const int count = n->batch * CLASSES;
    golden_case(n->golden, "outputs");
    golden_read(n->golden, "logits", expected, (size_t)count);
    const thaw_tensor outputs = thaw_view_f32(logits, 2, (int64_t[]){ n->batch, CLASSES });
    assert_ok(n->context, thaw_predict(n->model, &n->images, &outputs));
    double most = 0;
    for (int i = 0; i < count; i++)
        most = fmax(most, fabs((double)expected[i]));
    for (int i = 0; i < count; i++)
        cr_assert(fabs((double)(logits[i] - expected[i])) <= TOLERANCE * most, "logit %d: %.9g, PyTorch's %.9g", i,
                  (double)logits[i], (double)expected[i]);
}

/* A step at rate 0: statistics follow the batch, which they do not when no update is wanted. */
static void check_step(network *n)
{
    float expected;
    thaw_step_result result;
    golden_read(n->golden, "loss", &expected, 1);
    support_optimize(n->model, "sgd:lr=0");
    assert_ok(n->context, thaw_step(n->model, &n->images, &n->labels, NULL, &result));
    cr_assert(fabs(result.loss - (double)expected) <= TOLERANCE * (double)expected, "loss %.9g, PyTorch's %.9g",
              result.loss, (double)expected);
    check_tensors(n, "gradients", count_parameters(n, thaw_parameter_trainable), thaw_parameter_gradient, 0.1);
}

/* For networks in whose form the formula's values leave float32 too few digits; tests/golden/backbones.py tells why. */
static void move_normalisation(network *n)
{
    for (size_t i = 0; i < thaw_model_parameter_count(n->model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(n->model, i);
        float *values = thaw_parameter_role(parameter) == THAW_SCALE ? thaw_parameter_edit(parameter) : NULL;
        for (size_t k = 0; values && k < thaw_shape_count(thaw_parameter_shape(parameter)); k++)
            values[k] *= 2;
    }
    float count;
    golden_read(n->golden, "shifts", &count, 1);
    for (size_t i = 0; i < (size_t)count; i++) {
        char name[64] = "";
        cr_assert_eq(fscanf(n->golden, "%63s", name), 1, "shift %zu", i);
        thaw_parameter *parameter = thaw_model_find_parameter(n->model, name);
        cr_assert_not_null(parameter, "there is no parameter %s", name);
        float *values = thaw_parameter_edit(parameter);
        for (size_t k = 0; k < thaw_shape_count(thaw_parameter_shape(parameter)); k++)
            cr_assert_eq(fscanf(n->golden, "%f", &values[k]), 1, "%s %zu", name, k);
    }
    cr_assert_eq(fscanf(n->golden, " "), 0);
}

static void freeze_normalisation(network *n)
{
    for (size_t i = 0; i < thaw_model_parameter_count(n->model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(n->model, i);
        if (is_statistic(parameter))
            assert_ok(n->context, thaw_model_freeze(n->model, thaw_group_name(thaw_parameter_group(parameter))));
    }
}

static void compare(const char *name, const char *options, int batch, const char *branch_ends, bool bottlenecks)
{
    network n;
    open_network(&n, name, options, batch, branch_ends);
    check_outputs(&n);
    golden_case(n.golden, "all trainable");
    if (bottlenecks)
        move_normalisation(&n);
    check_step(&n);
    check_tensors(&n, "statistics", count_parameters(&n, is_statistic), thaw_parameter_data, 0);
    golden_case(n.golden, "normalisation frozen");
    formula_fill(n.model, branch_ends);
    freeze_normalisation(&n);
    check_step(&n);
    close_network(&n);
}

/* Networks without batch normalisation. */
static void compare_transformer(const char *name, const char *options)
{
    network n;
    open_network(&n, name, options, 4, NULL);
    check_outputs(&n);
    golden_case(n.golden, "all trainable");
    check_step(&n);
    close_network(&n);
}

Test(backbones, resnet18)
{
    compare("resnet18", "size=64", 8, "*.bn2|*.downsample.1", false);
}

Test(backbones, resnet34)
{
    compare("resnet34", "size=64", 8, "*.bn2|*.downsample.1", false);
}

Test(backbones, resnet50)
{
    compare("resnet50", "size=64", 8, "*.bn3|*.downsample.1", false);
}

Test(backbones, vgg16_bn)
{
    compare("vgg16-bn", "size=32,dropout=0", 4, NULL, false);
}

Test(backbones, mobilenet_v2)
{
    compare("mobilenet-v2", "size=64,dropout=0", 8, NULL, true);
}

Test(backbones, efficientnet_lite0)
{
    compare("efficientnet-lite0", "size=96", 8, NULL, true);
}

Test(backbones, vit_tiny)
{
    compare_transformer("vit-tiny", "size=32");
}

Test(backbones, vit_small)
{
    compare_transformer("vit-small", "size=48");
}

Test(backbones, dinov2_small)
{
    compare_transformer("dinov2-small", "size=28");
}

Test(backbones, convnext_tiny)
{
    compare_transformer("convnext-tiny", "size=64");
}
