/* Networks of the zoo with another head, or with none. */
#include <math.h>
#include <string.h>
#include <thaw/notes.h>
#include <thaw/optimizer.h>
#include <thaw/train.h>
#include <thaw/zoo.h>

#include "support/support.h"

static thaw_context *context;
static thaw_model *model;

static void begin(void)
{
    context = support_context(2);
    assert_ok(context, thaw_model_create(context, &model));
}

static void end(void)
{
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

TestSuite(heads, .init = begin, .fini = end);

static void rebuild(const char *description, size_t classes)
{
    thaw_model_destroy(model);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_zoo_build(model, description, classes));
}

static void use_sgd(void)
{
    thaw_optimizer *optimizer;
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0.001", &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
}

static void assert_parameter(const char *name, int rank, int64_t rows, int64_t columns)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    cr_assert_not_null(parameter, "%s", name);
    cr_assert(thaw_shape_equal(thaw_parameter_shape(parameter), &(thaw_shape){ rank, { rows, columns } }), "%s", name);
}

/* Features of the backbones as published: 512 of resnet18, 2048 of resnet50, 1280 of MobileNetV2 and EfficientNet. */
Test(heads, without_a_head_a_network_ends_with_its_features)
{
    const struct {
        const char *description;
        int64_t features;
    } cases[] = {
        { "resnet18:size=32,head=none", 512 },
        { "resnet50:size=32,head=none", 2048 },
        { "vgg16:size=32,head=none", 4096 },
        { "mobilenet-v2:size=32,head=none", 1280 },
        { "vit-small:size=32,head=none", 384 },
        { "convnext-tiny:size=32,head=none", 768 },
        { "efficientnet-lite0:head=none,size=32", 1280 },
        { "transfer-cnn:head=none", 128 },
        { "cnn-8-16:head=none", 16 * 7 * 7 },
        { "mlp-512:head=none", 512 },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        thaw_node node;
        thaw_model_destroy(model);
        assert_ok(context, thaw_model_create(context, &model));
        assert_ok(context, thaw_zoo_network(model, cases[i].description, 0, &node));
        cr_assert_eq(node, thaw_model_output(model));
        cr_assert(thaw_shape_equal(thaw_model_node_shape(model, node), &(thaw_shape){ 1, { cases[i].features } }),
                  "%s: %lld", cases[i].description, (long long)thaw_model_node_shape(model, node)->dims[0]);
        cr_assert_null(thaw_notes_find(thaw_model_notes(model), "thaw.outputs"));
        cr_assert_str_eq(thaw_notes_find(thaw_model_notes(model), "thaw.model"), cases[i].description);
    }
}

/* A loss of one's own on top, against arithmetic in double. */
Test(heads, without_a_loss_any_other_goes_on_top)
{
    enum { BATCH = 3, OUTPUTS = 2, PIXELS = 28 * 28 };
    thaw_node node;
    assert_ok(context, thaw_zoo_network(model, "cnn-8-16", OUTPUTS, &node));
    assert_ok(context, thaw_mse(model, node, NULL, &node));
    use_sgd();
    static float images[BATCH * PIXELS], targets[BATCH * OUTPUTS] = { 1, -1, 0.5f, 2, 0, 3 }, found[BATCH * OUTPUTS];
    for (size_t i = 0; i < THAW_COUNT(images); i++)
        images[i] = (float)sin(0.1 * (double)i);
    const thaw_tensor inputs = thaw_view_f32(images, 4, (const int64_t[]){ BATCH, 28, 28, 1 });
    const thaw_tensor wanted = thaw_view_f32(targets, 2, (const int64_t[]){ BATCH, OUTPUTS });
    const thaw_tensor outputs = thaw_view_f32(found, 2, (const int64_t[]){ BATCH, OUTPUTS });
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    double loss = 0;
    for (size_t i = 0; i < THAW_COUNT(found); i++)
        loss += ((double)found[i] - (double)targets[i]) * ((double)found[i] - (double)targets[i]) / THAW_COUNT(found);
    thaw_step_result result;
    assert_ok(context, thaw_step(model, &inputs, &wanted, NULL, &result));
    cr_assert_float_eq(result.loss, loss, 1e-5 * loss, "%g, %g", result.loss, loss);
    const double before = result.loss;
    assert_ok(context, thaw_step(model, &inputs, &wanted, NULL, &result));
    cr_assert_lt(result.loss, before);
    cr_assert_str_eq(thaw_notes_find(thaw_model_notes(model), "thaw.outputs"), "2");
}

Test(heads, a_new_head_has_the_names_of_its_place_in_pytorch)
{
    rebuild("resnet18:size=32,head=mlp:256x64", 5);
    assert_parameter("fc.0.weight", 2, 256, 512);
    assert_parameter("fc.0.bias", 1, 256, 0);
    assert_parameter("fc.2.weight", 2, 64, 256);
    assert_parameter("fc.4.weight", 2, 5, 64);
    cr_assert_null(thaw_model_find_parameter(model, "fc.weight"));
    rebuild("mobilenet-v2:size=32,head=mlp:8", 5);
    assert_parameter("classifier.1.0.weight", 2, 8, 1280);
    assert_parameter("classifier.1.2.weight", 2, 5, 8);
    rebuild("vgg16:size=32,head=linear", 5);
    assert_parameter("classifier.3.weight", 2, 4096, 4096);
    assert_parameter("classifier.6.weight", 2, 5, 4096);
    rebuild("mlp-512:head=linear", 5);
    assert_parameter("dense3.weight", 2, 5, 512);
    cr_assert_str_eq(thaw_notes_find(thaw_model_notes(model), "thaw.model"), "mlp-512:head=linear");
    cr_assert_str_eq(thaw_notes_find(thaw_model_notes(model), "thaw.outputs"), "5");
}

/* Largest magnitude and standard deviation of what a parameter holds. */
static void measure(const char *name, double *largest, double *deviation)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    cr_assert_not_null(parameter, "%s", name);
    const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
    const float *data = thaw_parameter_data(parameter);
    double squares = 0;
    *largest = 0;
    for (size_t i = 0; i < count; i++) {
        *largest = fmax(*largest, fabs((double)data[i]));
        squares += (double)data[i] * (double)data[i];
    }
    *deviation = sqrt(squares / (double)count);
}

/* Bounds and deviations as torch.nn.init documents them; resnet18 has 512 features. */
Test(heads, initial_values_are_what_was_asked_for)
{
    enum { CLASSES = 64, FEATURES = 512 };
    const struct {
        const char *options;
        double bound;     /* of a uniform distribution; 0: of none */
        double deviation; /* of a normal distribution */
        bool bias;
    } cases[] = {
        { "", sqrt(1.0 / FEATURES), 0, true },
        { ",head=linear", sqrt(1.0 / FEATURES), 0, true },
        { ",head-init=default", sqrt(1.0 / FEATURES), 0, true },
        { ",head=linear,head-init=zeros", 0, 0, false },
        { ",head-init=xavier_uniform", sqrt(6.0 / (FEATURES + CLASSES)), 0, false },
        { ",head-init=kaiming_uniform,head=linear", sqrt(6.0 / FEATURES), 0, false },
        { ",head-init=normal", 0, 0.01, false },
        { ",head-init=xavier_normal", 0, sqrt(2.0 / (FEATURES + CLASSES)), false },
        { ",head-init=kaiming_normal", 0, sqrt(2.0 / FEATURES), false },
        { ",head-init=kaiming_normal_fan_out", 0, sqrt(2.0 / CLASSES), false },
    };
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        char description[128] = "resnet18:size=32";
        double largest, deviation, bias, unused;
        rebuild(strcat(description, cases[i].options), CLASSES);
        measure("fc.weight", &largest, &deviation);
        measure("fc.bias", &bias, &unused);
        const double bound = cases[i].bound, wanted = bound > 0 ? bound / sqrt(3) : cases[i].deviation;
        cr_assert_float_eq(deviation, wanted, 0.02 * wanted, "%s: %g, %g", description, deviation, wanted);
        cr_assert(bound == 0 || (largest <= bound && largest > 0.99 * bound), "%s: %g", description, largest);
        cr_assert_eq(bias > 0, cases[i].bias, "%s: %g", description, bias);
    }
}

Test(heads, zeros_are_for_the_last_layer_alone)
{
    double largest, deviation;
    rebuild("mlp-500:head=mlp:32,head-init=zeros", 4);
    measure("dense2.2.weight", &largest, &deviation);
    cr_assert_eq(largest, 0);
    measure("dense2.0.weight", &largest, &deviation);
    cr_assert_float_eq(deviation, sqrt(1.0 / 500 / 3), 0.03 * sqrt(1.0 / 500 / 3));
}

/* The network's own classifier keeps torchvision's values: a standard deviation of 0.01 and no bias. A new head has
   those of PyTorch's Linear, 1 / sqrt(3 * 1280) = 0.016. */
Test(heads, only_a_new_head_has_other_values)
{
    double largest, deviation, bias;
    rebuild("mobilenet-v2:size=32", 50);
    measure("classifier.1.weight", &largest, &deviation);
    measure("classifier.1.bias", &bias, &largest);
    cr_assert_float_eq(deviation, 0.01, 2e-4);
    cr_assert_eq(bias, 0);
    rebuild("mobilenet-v2:size=32,head=linear", 50);
    measure("classifier.1.weight", &largest, &deviation);
    measure("classifier.1.bias", &bias, &largest);
    cr_assert_float_eq(deviation, 0.016137, 3e-4);
    cr_assert_gt(bias, 0);
}

/* The loss of a step without and with the frozen body's features dropped. */
static double frozen_loss(const char *description, double *evaluated)
{
    enum { BATCH = 8, PIXELS = 28 * 28 };
    static float images[BATCH * PIXELS], found[BATCH * 3];
    static int32_t labels[BATCH] = { 0, 1, 2, 0, 1, 2, 0, 1 };
    for (size_t i = 0; i < THAW_COUNT(images); i++)
        images[i] = (float)sin(0.37 * (double)i);
    rebuild(description, 3);
    use_sgd();
    assert_ok(context, thaw_model_freeze_before(model, thaw_group_name(thaw_model_group(model, 2))));
    const thaw_tensor inputs = thaw_view_f32(images, 4, (const int64_t[]){ BATCH, 28, 28, 1 });
    const thaw_tensor targets = thaw_view_i32(labels, 1, (const int64_t[]){ BATCH });
    const thaw_tensor outputs = thaw_view_f32(found, 2, (const int64_t[]){ BATCH, 3 });
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    *evaluated = 0;
    for (size_t i = 0; i < BATCH; i++) {
        double sum = 0;
        for (size_t k = 0; k < 3; k++)
            sum += exp((double)found[3 * i + k]);
        *evaluated -= ((double)found[3 * i + (size_t)labels[i]] - log(sum)) / BATCH;
    }
    thaw_step_result result;
    assert_ok(context, thaw_step(model, &inputs, &targets, &(thaw_step_options){ .gradients_only = true }, &result));
    return result.loss;
}

Test(heads, a_dropout_that_was_asked_for_drops_the_features_of_a_frozen_body)
{
    double evaluated;
    const double dropped = frozen_loss("cnn-8-16:dropout=0.5", &evaluated);
    cr_assert(fabs(dropped - evaluated) > 1e-4, "%g, %g", dropped, evaluated);
    const double whole = frozen_loss("cnn-8-16", &evaluated);
    cr_assert_float_eq(whole, evaluated, 1e-6, "%g, %g", whole, evaluated);
    const double head = frozen_loss("cnn-8-16:dropout=0.5,head=mlp:16", &evaluated);
    cr_assert(fabs(head - evaluated) > 1e-4, "%g, %g", head, evaluated);
}

Test(heads, wrong_ones_are_refused_by_name)
{
    const struct {
        const char *description;
        thaw_status status;
        const char *message;
    } cases[] = {
        { "resnet18:head=liner", THAW_NOT_FOUND, "unknown value of head \"liner\", did you mean \"linear\"?" },
        { "resnet18:head=mpl:256", THAW_NOT_FOUND, "unknown value of head \"mpl\", did you mean \"mlp\"?" },
        { "resnet18:head=mlp", THAW_INVALID_ARGUMENT, "resnet18: \"head=mlp\", must be none, linear, or mlp:UNITS" },
        { "resnet18:head=mlp:", THAW_INVALID_ARGUMENT, "\"head=mlp:\", must be" },
        { "resnet18:head=mlp:0", THAW_INVALID_ARGUMENT, "\"head=mlp:0\", must be" },
        { "resnet18:head=mlp:8x", THAW_INVALID_ARGUMENT, "\"head=mlp:8x\", must be" },
        { "resnet18:head=mlp:8x8x8x8x8x8x8x8x8x8x8x8x8x8x8x8x8", THAW_INVALID_ARGUMENT, "must be" },
        { "resnet18:head=linear:8", THAW_INVALID_ARGUMENT, "\"head=linear:8\", must be" },
        { "resnet18:head=", THAW_NOT_FOUND, "unknown value of head \"\"" },
        { "resnet18:head-init=kaiming_unifrm", THAW_NOT_FOUND, "did you mean \"kaiming_uniform\"?" },
        { "resnet18:haed=linear", THAW_NOT_FOUND, "did you mean \"head\"?" },
        { "resnet18:head=none,dropout=0.5", THAW_INVALID_ARGUMENT, "dropout is given, but head=none leaves no head" },
        { "resnet18:head-init=zeros,head=none", THAW_INVALID_ARGUMENT, "head-init is given, but head=none" },
    };
    thaw_node node;
    for (size_t i = 0; i < THAW_COUNT(cases); i++) {
        assert_fails(context, thaw_zoo_check(context, cases[i].description), cases[i].status, cases[i].message);
        assert_fails(context, thaw_zoo_network(model, cases[i].description, 2, &node), cases[i].status,
                     cases[i].message);
    }
    assert_ok(context, thaw_zoo_check(context, "resnet18:head=none"));
    assert_fails(context, thaw_zoo_build(model, "resnet18:head=none", 2), THAW_INVALID_ARGUMENT,
                 "head=none leaves nothing to compute a loss of");
    cr_assert_eq(thaw_model_node_count(model), 0);
}
