/* Your own layer, through thaw/layer_module.h like the built-in ones: Swish with a learnable slope per feature,
   y = x * sigmoid(beta * x) (Ramachandran et al. 2017, arXiv 1710.05941). The program trains a small network with it,
   and checks its gradients against finite differences.
       cc custom_layer.c $(pkg-config --cflags --libs thaw) -lm && ./a.out */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>
#include <thaw/train.h>

/* ---- the layer ---- */

typedef struct swish_state {
    size_t batch, features;
    bool trains, passes_on; /* backward writes beta's gradient, and the input's */
} swish_state;

static float sigmoid(float x)
{
    return 1 / (1 + expf(-x));
}

static thaw_status swish_build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *input = thaw_builder_input(builder, 0);
    if (input->rank != 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "wants [features], not rank %d", input->rank);
    const thaw_parameter_specification beta = {
        .name = "beta",
        .role = THAW_SCALE,
        .shape = *input,
        .initializer = THAW_INITIAL_ONE,
    };
    const thaw_status status = thaw_builder_parameter(builder, &beta);
    return status == THAW_OK ? thaw_builder_output(builder, input) : status;
}

static thaw_status swish_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    swish_state *state = thaw_allocate(demand->context, sizeof *state);
    if (state == NULL)
        return THAW_OUT_OF_MEMORY;
    state->batch = (size_t)demand->batch;
    state->features = thaw_shape_count(&demand->output);
    state->trains = demand->parameter_gradient[0];
    state->passes_on = demand->input_gradient[0];
    needs->state = state;
    needs->keeps_inputs = demand->training;
    needs->kernel = "swish";
    return THAW_OK;
}

static void swish_forward_rows(void *argument, size_t begin, size_t end)
{
    const thaw_layer_run *run = argument;
    const swish_state *state = run->state;
    const float *beta = run->parameters[0], *inputs = run->inputs[0];
    float *outputs = run->output;
    for (size_t row = begin; row < end; row++) {
        const float *x = inputs + row * state->features;
        float *y = outputs + row * state->features;
        for (size_t i = 0; i < state->features; i++)
            y[i] = x[i] * sigmoid(beta[i] * x[i]);
    }
}

static thaw_status swish_forward(const thaw_layer_run *run)
{
    const swish_state *state = run->state;
    thaw_parallel_for(run->context, state->batch, 16, swish_forward_rows, (void *)run);
    return THAW_OK;
}

/* With s = sigmoid(beta x): dy/dx = s + beta x s (1 - s) and dy/dbeta = x^2 s (1 - s). */
static thaw_status swish_backward(const thaw_layer_run *run)
{
    const swish_state *state = run->state;
    const float *beta = run->parameters[0], *inputs = run->inputs[0], *slopes = run->output_gradient;
    float *input_gradients = run->input_gradients[0];
    if (state->trains)
        memset(run->parameter_gradients[0], 0, state->features * sizeof(float));
    for (size_t row = 0; row < state->batch; row++) {
        const float *x = inputs + row * state->features;
        const float *dy = slopes + row * state->features;
        for (size_t i = 0; i < state->features; i++) {
            const float s = sigmoid(beta[i] * x[i]), slope = x[i] * s * (1 - s);
            if (state->trains)
                run->parameter_gradients[0][i] += dy[i] * x[i] * slope;
            if (state->passes_on)
                input_gradients[row * state->features + i] = dy[i] * (s + beta[i] * slope);
        }
    }
    return THAW_OK;
}

static void swish_release(thaw_context *context, void *state)
{
    thaw_release(context, state);
}

static const thaw_layer_module swish = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "swish",
    .build = swish_build,
    .prepare = swish_prepare,
    .forward = swish_forward,
    .backward = swish_backward,
    .release = swish_release,
};

/* ---- using it ---- */

enum { SAMPLES = 64, HIDDEN = 16, STEPS = 300 };

static void check(const thaw_context *context, thaw_status status)
{
    if (status == THAW_OK)
        return;
    fprintf(stderr, "%s: %s\n", thaw_status_name(status), thaw_context_message(context));
    exit(EXIT_FAILURE);
}

static thaw_model *build_network(thaw_context *context)
{
    thaw_model *model = NULL;
    thaw_optimizer *adam = NULL;
    thaw_node x;
    check(context, thaw_model_create(context, &model));
    check(context, thaw_input(model, &(thaw_shape){ .rank = 1, .dims = { 1 } }, &x));
    check(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "in", .units = HIDDEN }, &x));
    check(context, thaw_model_append(model, &swish, "swish", &x, 1, NULL, &x));
    check(context, thaw_dense(model, x, &(thaw_dense_options){ .name = "out", .units = 1 }, &x));
    check(context, thaw_mse(model, x, NULL, &x));
    check(context, thaw_optimizer_create(context, "adam:lr=1e-2", &adam));
    check(context, thaw_select_optimizer(model, "*", adam));
    thaw_optimizer_destroy(adam);
    return model;
}

static double loss_of(thaw_context *context, thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets,
                      bool train)
{
    thaw_step_result result;
    check(context, thaw_step(model, inputs, targets, &(thaw_step_options){ .gradients_only = !train }, &result));
    return result.loss;
}

/* Prints the largest difference between a parameter's gradient and central differences of the loss, relative to the
   largest gradient. */
static double compare_gradient(thaw_context *context, thaw_model *model, const char *name, const thaw_tensor *inputs,
                               const thaw_tensor *targets)
{
    const float step = 1e-2F;
    thaw_parameter *parameter = thaw_model_find_parameter(model, name);
    const size_t count = thaw_shape_count(thaw_parameter_shape(parameter));
    float gradient[HIDDEN];
    double worst = 0, largest = 0;
    loss_of(context, model, inputs, targets, false);
    memcpy(gradient, thaw_parameter_gradient(parameter), count * sizeof(float));
    for (size_t i = 0; i < count; i++) {
        const float value = thaw_parameter_data(parameter)[i];
        thaw_parameter_edit(parameter)[i] = value + step;
        const double above = loss_of(context, model, inputs, targets, false);
        thaw_parameter_edit(parameter)[i] = value - step;
        const double below = loss_of(context, model, inputs, targets, false);
        thaw_parameter_edit(parameter)[i] = value;
        worst = fmax(worst, fabs((above - below) / (2 * (double)step) - (double)gradient[i]));
        largest = fmax(largest, fabs((double)gradient[i]));
    }
    printf("%-10s gradient and finite differences differ by %.1e of the largest\n", name, worst / largest);
    return worst / largest;
}

int main(void)
{
    float x[SAMPLES], y[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) {
        x[i] = 4 * (float)i / SAMPLES - 2;
        y[i] = sinf(2 * x[i]);
    }
    const thaw_tensor inputs = thaw_view_f32(x, 2, (int64_t[]){ SAMPLES, 1 });
    const thaw_tensor targets = thaw_view_f32(y, 2, (int64_t[]){ SAMPLES, 1 });

    thaw_context *context = NULL;
    if (thaw_context_create(&(thaw_context_options){ .seed = 1 }, &context) != THAW_OK)
        return EXIT_FAILURE;
    thaw_model *model = build_network(context);

    double worst = compare_gradient(context, model, "swish.beta", &inputs, &targets);
    worst = fmax(worst, compare_gradient(context, model, "in.weight", &inputs, &targets)); /* flows through swish */
    const double before = loss_of(context, model, &inputs, &targets, false);
    for (int step = 0; step < STEPS; step++)
        loss_of(context, model, &inputs, &targets, true);
    const double after = loss_of(context, model, &inputs, &targets, false);
    printf("loss %.4f before, %.4f after %d steps\n", before, after, STEPS);

    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return worst < 1e-2 && after < before / 10 ? EXIT_SUCCESS : EXIT_FAILURE;
}
