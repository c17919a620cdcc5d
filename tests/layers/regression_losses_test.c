/* The losses of regression equal PyTorch's (tests/golden/regression_losses.py). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer.h"

enum { BATCH = 5, FEATURES = 4, COUNT = BATCH * FEATURES };

typedef enum kind { MSE, MAE, HUBER } kind;

static thaw_status append(thaw_model *model, kind which, thaw_reduction reduction, double delta, thaw_node *node)
{
    switch (which) {
    case MSE:
        return thaw_mse(model, *node, &(thaw_mse_options){ .reduction = reduction }, node);
    case MAE:
        return thaw_mae(model, *node, &(thaw_mae_options){ .reduction = reduction }, node);
    default:
        return thaw_huber(model, *node, &(thaw_huber_options){ .reduction = reduction, .delta = delta }, node);
    }
}

static void check(FILE *file, kind which, thaw_reduction reduction, double delta)
{
    float target[COUNT], loss, gradient[COUNT];
    thaw_node node = 0;
    golden_read(file, "loss", &loss, 1);
    golden_read(file, "gradient", gradient, COUNT);
    support_fill(target, COUNT, 9);
    for (size_t i = 0; i < COUNT; i++)
        target[i] *= 2;
    target[4] = 0.25F;
    thaw_context *context = support_context(2);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ FEATURES });
    assert_ok(context, append(model, which, reduction, delta, &node));
    layer l =
        layer_open(model, &(layer_wish){ .batch = BATCH, .training = true, .input_gradients = true, .target = target });
    for (size_t i = 0; i < COUNT; i++)
        l.inputs[0][i] *= 4;
    l.inputs[0][3] = target[3];
    l.inputs[0][4] = 0.75F;
    layer_forward(&l);
    layer_backward(&l);
    assert_close(l.output, &loss, 1, 1e-6, "loss");
    assert_close(l.input_gradients[0], gradient, COUNT, 1e-6, "gradient");
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(regression_losses, equal_pytorch)
{
    static const struct {
        const char *name;
        kind which;
        double delta;
    } cases[] = {
        { "mse", MSE, 0 }, { "mae", MAE, 0 }, { "huber", HUBER, 0.5 }, { "huber", HUBER, 1 }, { "huber", HUBER, 3 }
    };
    FILE *file = golden_open("regression_losses.txt");
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        for (int sum = 0; sum < 2; sum++) {
            char settings[64];
            snprintf(settings, sizeof settings, "%s %s %g", cases[i].name, sum ? "sum" : "mean", cases[i].delta);
            golden_case(file, settings);
            check(file, cases[i].which, sum ? THAW_REDUCE_SUM : THAW_REDUCE_MEAN, cases[i].delta);
        }
    fclose(file);
}

Test(regression_losses, delta_is_one_by_default)
{
    float target[COUNT] = { 0 }, losses[2];
    thaw_context *context = support_context(1);
    for (int i = 0; i < 2; i++) {
        thaw_node node = 0;
        thaw_model *model = layer_model(context, 1, (const int64_t[]){ FEATURES });
        assert_ok(context, append(model, HUBER, THAW_REDUCE_MEAN, i, &node));
        layer l = layer_open(model, &(layer_wish){ .batch = BATCH, .target = target });
        for (size_t k = 0; k < COUNT; k++)
            l.inputs[0][k] *= 4;
        layer_forward(&l);
        losses[i] = *l.output;
        layer_close(&l, model);
    }
    cr_assert(losses[0] == losses[1], "%g and %g", (double)losses[0], (double)losses[1]);
    thaw_context_destroy(context);
}

static thaw_status append_scaled(thaw_model *model, kind which, double deviation, thaw_node *node)
{
    switch (which) {
    case MSE:
        return thaw_mse(model, *node, &(thaw_mse_options){ .target_deviation = deviation }, node);
    case MAE:
        return thaw_mae(model, *node, &(thaw_mae_options){ .target_deviation = deviation }, node);
    default:
        return thaw_huber(model, *node, &(thaw_huber_options){ .delta = 0.5, .target_deviation = deviation }, node);
    }
}

/* Loss of the differences in units of which `unit` make one of the scaled targets: Huber's delta is 0.5 of these. */
static double loss_in_units(kind which, const float *output, const float *target, double unit)
{
    double sum = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const double d = unit * fabs((double)output[i] - (double)target[i]), delta = 0.5 * unit;
        sum += which == MSE ? d * d : which == MAE ? d : d < delta ? d * d / 2 : delta * (d - delta / 2);
    }
    return sum / COUNT;
}

Test(regression_losses, the_value_is_in_the_units_of_the_targets_and_the_gradient_is_not)
{
    float target[COUNT], gradients[2][COUNT];
    thaw_context *context = support_context(1);
    support_fill(target, COUNT, 9);
    for (kind which = MSE; which <= HUBER; which++) {
        for (int scaled = 0; scaled < 2; scaled++) {
            thaw_node node = 0;
            thaw_model *model = layer_model(context, 1, (const int64_t[]){ FEATURES });
            assert_ok(context, append_scaled(model, which, scaled ? 75000 : 0, &node));
            layer l =
                layer_open(model, &(layer_wish){
                                      .batch = BATCH, .training = true, .input_gradients = true, .target = target });
            layer_forward(&l);
            layer_backward(&l);
            const float wanted = (float)loss_in_units(which, l.inputs[0], target, scaled ? 75000 : 1);
            assert_close(l.output, &wanted, 1, 1e-6 * (double)wanted, "loss");
            memcpy(gradients[scaled], l.input_gradients[0], sizeof gradients[0]);
            layer_close(&l, model);
        }
        cr_assert_arr_eq(gradients[0], gradients[1], sizeof gradients[0]);
    }
    thaw_context_destroy(context);
}

Test(regression_losses, options_are_checked)
{
    thaw_context *context = support_context(1);
    thaw_model *model = layer_model(context, 1, (const int64_t[]){ FEATURES });
    thaw_node node = 0;
    assert_fails(context, append(model, HUBER, THAW_REDUCE_MEAN, -1, &node), THAW_INVALID_ARGUMENT,
                 "delta is -1, must be finite and above 0");
    assert_fails(context, append(model, HUBER, THAW_REDUCE_MEAN, (double)INFINITY, &node), THAW_INVALID_ARGUMENT,
                 "delta is inf");
    assert_fails(context, append(model, MAE, (thaw_reduction)7, 0, &node), THAW_INVALID_ARGUMENT, "reduction is 7");
    assert_fails(context, append_scaled(model, MAE, -2, &node), THAW_INVALID_ARGUMENT,
                 "target_deviation is -2, must be finite and not negative");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
