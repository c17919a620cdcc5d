#include <math.h>
#include <string.h>

#include "support/golden.h"
#include "support/layer.h"
#include "support/network.h"

enum { BATCH = 3 };

typedef struct problem {
    const char *name; /* of the golden values; NULL: there are none */
    thaw_shape sample;
} problem;

static const problem problems[] = {
    { "sequence", { 2, { 4, 5 } } },
    { "image", { 3, { 2, 3, 18 } } },
    { NULL, { 1, { 1 } } },
    { NULL, { 2, { 700, 37 } } },
};

static layer open_layer(thaw_context *context, thaw_model **model, const problem *p, const layer_wish *wish)
{
    thaw_node node;
    *model = layer_model(context, p->sample.rank, p->sample.dims);
    assert_ok(context, thaw_layer_scale(*model, 0, NULL, &node));
    return layer_open(*model, wish);
}

static void check(const problem *p, bool learns, bool in_place)
{
    static float inputs[1 << 17], slopes[1 << 17];
    thaw_context *context = support_context(2);
    thaw_model *model;
    layer_wish wish = { .batch = BATCH, .training = true, .input_gradients = true, .in_place = in_place };
    wish.parameter_gradient[0] = learns;
    layer l = open_layer(context, &model, p, &wish);
    const size_t channels = l.parameter_size[0];
    cr_assert_eq(l.needs.in_place, !learns);
    memcpy(inputs, l.inputs[0], l.input_size[0] * sizeof *inputs);
    memcpy(slopes, l.output_gradient, l.output_size * sizeof *slopes);
    layer_forward(&l);
    layer_backward(&l);
    const float *y = in_place ? l.inputs[0] : l.output, *dx = in_place ? l.output_gradient : l.input_gradients[0];
    for (size_t i = 0; i < l.output_size; i++) {
        const float gamma = l.parameters[0][i % channels];
        cr_assert(y[i] == inputs[i] * gamma && dx[i] == slopes[i] * gamma, "element %zu", i);
    }
    for (size_t c = 0; learns && c < channels; c++) {
        double sum = 0;
        for (size_t i = c; i < l.output_size; i += channels)
            sum += (double)slopes[i] * (double)inputs[i];
        const float expected = (float)sum;
        assert_close(&l.parameter_gradients[0][c], &expected, 1, 1e-5, "gamma's gradient");
    }
    layer_close(&l, model);
    thaw_context_destroy(context);
}

Test(layer_scale, matches_the_definition)
{
    for (size_t i = 0; i < THAW_COUNT(problems); i++) {
        check(&problems[i], true, false);
        check(&problems[i], false, false);
        check(&problems[i], false, true);
    }
}

Test(layer_scale, equals_pytorch)
{
    FILE *file = golden_open("layer_scale.txt");
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(problems) && problems[i].name; i++) {
        thaw_model *model;
        layer_wish wish = { .batch = BATCH, .training = true, .input_gradients = true };
        wish.parameter_gradient[0] = true;
        layer l = open_layer(context, &model, &problems[i], &wish);
        layer_equals_golden(&l, file, problems[i].name, 1e-6);
        layer_close(&l, model);
    }
    fclose(file);
    thaw_context_destroy(context);
}

/* ---- in a network ---- */

enum { STEPS = 5, WIDTH = 12 };

/* A residual branch that ends with LayerScale. */
static thaw_model *branch(thaw_context *context)
{
    thaw_model *model;
    thaw_node x, y;
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { STEPS, WIDTH } }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "below", .units = WIDTH }, &x));
    assert_ok(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "dense", .units = WIDTH }, &y));
    assert_ok(context, thaw_layer_scale(model, y,
                                        &(thaw_layer_scale_options){
                                            .name = "scale", .parameter = "blocks.0.gamma", .initial = 0.5 },
                                        &y));
    assert_ok(context, thaw_add(model, x, y, NULL, &y));
    assert_ok(context, thaw_mse(model, y, NULL, &y));
    support_optimize(model, "sgd:lr=0.1");
    return model;
}

static void run_branch(thaw_context *context, const char *frozen, bool fused, float *gradient, double *loss)
{
    float inputs[BATCH * STEPS * WIDTH], targets[BATCH * STEPS * WIDTH];
    thaw_model *model = branch(context);
    thaw_step_result result;
    support_fill(inputs, THAW_COUNT(inputs), 1);
    support_fill(targets, THAW_COUNT(targets), 2);
    const thaw_tensor x = thaw_view_f32(inputs, 3, (int64_t[]){ BATCH, STEPS, WIDTH });
    const thaw_tensor y = thaw_view_f32(targets, 3, (int64_t[]){ BATCH, STEPS, WIDTH });
    thaw_model_set_fusion(model, fused);
    if (frozen)
        assert_ok(context, thaw_model_freeze(model, frozen));
    assert_ok(context, thaw_step(model, &x, &y, NULL, &result));
    *loss = result.loss;
    memcpy(gradient, thaw_parameter_gradient(thaw_model_find_parameter(model, "below.weight")),
           WIDTH * WIDTH * sizeof *gradient);
    thaw_model_destroy(model);
}

/* Frozen, it becomes part of the dense layer; trained, it adds the residual. */
Test(layer_scale, computes_the_same_fused_and_not)
{
    static const char *const frozen[] = { NULL, "scale", "dense|scale" };
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(frozen); i++) {
        float fused[WIDTH * WIDTH], plain[WIDTH * WIDTH];
        double losses[2];
        run_branch(context, frozen[i], true, fused, &losses[0]);
        run_branch(context, frozen[i], false, plain, &losses[1]);
        cr_assert_float_eq(losses[0], losses[1], 1e-6, "%g, %g", losses[0], losses[1]);
        assert_close(fused, plain, WIDTH * WIDTH, 1e-6, "gradient below");
    }
    thaw_context_destroy(context);
}

Test(layer_scale, starts_as_asked_and_has_the_name_that_files_want)
{
    thaw_context *context = support_context(1);
    thaw_model *model = branch(context);
    thaw_parameter *gamma = thaw_model_find_parameter(model, "blocks.0.gamma");
    cr_assert(thaw_parameter_data(gamma)[WIDTH - 1] == 0.5F);
    thaw_parameter_edit(gamma)[0] = 3;
    assert_ok(context, thaw_model_reset(model, "scale"));
    cr_assert(thaw_parameter_data(gamma)[0] == 0.5F);
    thaw_model_destroy(model);
    model = layer_model(context, 1, (const int64_t[]){ 4 });
    thaw_node node;
    assert_ok(context, thaw_layer_scale(model, 0, &(thaw_layer_scale_options){ .name = "s" }, &node));
    cr_assert(thaw_parameter_data(thaw_model_find_parameter(model, "s.gamma"))[0] == 1e-5F);
    assert_fails(context, thaw_layer_scale(model, 0, &(thaw_layer_scale_options){ .initial = INFINITY }, &node),
                 THAW_INVALID_ARGUMENT, "initial is inf");
    const thaw_constant_options number = { .values = (const float[]){ 1 } };
    assert_ok(context, thaw_constant(model, &number, &node));
    assert_fails(context, thaw_layer_scale(model, node, NULL, &node), THAW_SHAPE_MISMATCH, "no dimensions");
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}
