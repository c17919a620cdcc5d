#include "support/layer.h"

#include <stdlib.h>
#include <string.h>

#include "core/threads.h"
#include "graph/model.h"
#include "kernels/bfloat16.h"
#include "support/golden.h"

static const float untouched = -12345.0F;
enum { GUARD = 16 }; /* floats behind each buffer that must stay as they are */

static float *make_buffer(size_t count)
{
    float *buffer = aligned_alloc(64, (count + GUARD + 15) / 16 * 64);
    cr_assert_not_null(buffer);
    for (size_t i = 0; i < count + GUARD; i++)
        buffer[i] = untouched;
    return buffer;
}

static float *make_filled(size_t count, uint32_t seed)
{
    float *buffer = make_buffer(count);
    support_fill(buffer, count, seed);
    return buffer;
}

static void drop_buffer(float *buffer, size_t count, const char *what)
{
    if (!buffer)
        return;
    for (size_t i = 0; i < GUARD; i++)
        cr_assert(buffer[count + i] == untouched, "something was written past the end of %s", what);
    free(buffer);
}

static void *make_bytes(size_t bytes)
{
    return bytes ? make_buffer(bytes / sizeof(float) + 1) : NULL;
}

static void drop_bytes(void *buffer, size_t bytes, const char *what)
{
    if (buffer)
        drop_buffer(buffer, bytes / sizeof(float) + 1, what);
}

thaw_model *layer_model(thaw_context *context, int rank, const int64_t *dims)
{
    thaw_model *model;
    thaw_node input;
    thaw_shape shape = { .rank = rank };
    memcpy(shape.dims, dims, (size_t)rank * sizeof dims[0]);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &shape, &input));
    return model;
}

static bool wants_gradient(const layer_wish *wish, size_t input)
{
    return wish->input_gradients && !(wish->frozen_inputs >> input & 1);
}

static void round_values(const layer *l, float *values, size_t count)
{
    for (size_t i = 0; l->bfloat16 && values && i < count; i++)
        values[i] = thaw_bfloat16_widen(thaw_bfloat16_round(values[i]));
}

static bool is_of_floats(const layer *l, size_t input)
{
    return !l->bfloat16 || l->float_inputs >> input & 1;
}

static void round_input(const layer *l, size_t input)
{
    if (!is_of_floats(l, input))
        round_values(l, l->inputs[input], l->input_size[input]);
}

static void make_inputs(layer *l, const layer_wish *wish, const thaw_shape *shapes, size_t batch)
{
    for (size_t i = 0; i < l->input_count; i++) {
        l->input_size[i] = batch * thaw_shape_count(&shapes[i]);
        l->inputs[i] = make_filled(l->input_size[i], 100 + (uint32_t)i);
        round_input(l, i);
        if (wants_gradient(wish, i))
            l->input_gradients[i] = make_buffer(l->input_size[i]);
    }
}

static void make_parameters(layer *l, const layer_wish *wish, const thaw_shape *shapes)
{
    for (size_t i = 0; i < l->parameter_count; i++) {
        l->parameter_size[i] = thaw_shape_count(&shapes[i]);
        l->parameters[i] = make_filled(l->parameter_size[i], 200 + (uint32_t)i);
        round_values(l, l->parameters[i], l->parameter_size[i]);
        if (wish->parameter_gradient[i])
            l->parameter_gradients[i] = make_buffer(l->parameter_size[i]);
    }
}

static void prepare(layer *l, const thaw_layer_demand *demand)
{
    const thaw_thread_scope scope = thaw_threads_enter(l->context);
    bool lets_go[THAW_MAX_PARAMETERS];
    l->needs.capabilities = &(thaw_capability_needs){ .gradient_rows = l->gradient_rows, .lets_go = lets_go };
    assert_ok(l->context, l->module->prepare(demand, &l->needs));
    l->needs.capabilities = NULL;
    thaw_threads_leave(scope);
}

static void fill_run(layer *l, const layer_wish *wish)
{
    l->run = (thaw_layer_run){
        .context = l->context,
        .state = l->needs.state,
        .packed = make_bytes(l->needs.packed_bytes),
        .workspace = make_bytes(l->needs.workspace_bytes),
        .scratch = make_bytes(l->needs.scratch_bytes),
        .target = wish->target,
        .random = { .seed = 7, .purpose = 3, .node = 1, .step = 5 },
    };
}

layer layer_open(thaw_model *model, const layer_wish *wish)
{
    const thaw_graph_node *node = &model->nodes[model->node_count - 1];
    thaw_shape inputs[THAW_MAX_INPUTS], parameters[THAW_MAX_PARAMETERS];
    bool input_gradient[THAW_MAX_INPUTS];
    layer l = {
        .context = model->context, .module = node->module, .bfloat16 = wish->bfloat16, .input_count = node->input_count
    };
    l.parameter_count = node->group ? node->group->parameter_count : 0;
    if (node->capabilities->keeps_floats)
        l.float_inputs = node->capabilities->keeps_floats(node->options, node->input_count);
    for (size_t i = 0; i < l.input_count; i++) {
        inputs[i] = model->nodes[node->inputs[i]].output;
        input_gradient[i] = wants_gradient(wish, i);
    }
    for (size_t i = 0; i < l.parameter_count; i++)
        parameters[i] = node->group->parameters[i]->shape;
    const bool may_leave[THAW_MAX_PARAMETERS] = { false };
    const thaw_capability_demand capabilities = {
        .precision = wish->bfloat16 ? THAW_BF16 : THAW_F32,
        .epilogue = { .activation = wish->activation },
        .may_leave = may_leave,
    };
    const thaw_layer_demand demand = {
        .context = model->context,
        .options = node->options,
        .batch = wish->batch ? wish->batch : 1,
        .training = wish->training,
        .draws = wish->training,
        .follows = wish->follows,
        .input_count = l.input_count,
        .inputs = inputs,
        .output = node->output,
        .input_gradient = input_gradient,
        .parameter_count = l.parameter_count,
        .parameters = parameters,
        .parameter_gradient = wish->parameter_gradient,
        .capabilities = &capabilities,
    };
    prepare(&l, &demand);
    const size_t batch = (size_t)demand.batch;
    make_inputs(&l, wish, inputs, batch);
    make_parameters(&l, wish, parameters);
    l.output_size = l.module->loss ? 1 : batch * thaw_shape_count(&node->output);
    if (!wish->in_place)
        l.output = make_buffer(l.output_size);
    if (wish->training && !l.module->loss)
        l.output_gradient = make_filled(l.output_size, 300);
    round_values(&l, l.output_gradient, l.output_size);
    fill_run(&l, wish);
    return l;
}

/* A test's buffer as the layer sees it. */
static void *lend(bool floats, const float *values, size_t count)
{
    if (floats || !values)
        return (void *)(uintptr_t)values;
    thaw_bfloat16 *lent = make_bytes(count * sizeof *lent);
    for (size_t i = 0; i < count; i++)
        lent[i] = thaw_bfloat16_round(values[i]);
    return lent;
}

/* Brings home what the layer has made of it. */
static void take_back(bool floats, void *lent, float *values, size_t count)
{
    if (floats || !values)
        return;
    for (size_t i = 0; i < count; i++)
        values[i] = thaw_bfloat16_widen(((thaw_bfloat16 *)lent)[i]);
    drop_bytes(lent, count * sizeof(thaw_bfloat16), "a buffer of bfloat16");
}

/* Lends the buffers to a layer, in the places where it finds them, and calls it. */
static void call(layer *l, thaw_status (*function)(const thaw_layer_run *run))
{
    const bool in_place = l->output == NULL;
    void *inputs[THAW_MAX_INPUTS], *input_gradients[THAW_MAX_INPUTS];
    for (size_t i = 0; i < l->input_count; i++) {
        inputs[i] = lend(is_of_floats(l, i), l->inputs[i], l->input_size[i]);
        input_gradients[i] = lend(is_of_floats(l, i), l->input_gradients[i], l->input_size[i]);
    }
    void *const output = lend(!l->bfloat16, l->output, l->output_size);
    void *const output_gradient = lend(!l->bfloat16, l->output_gradient, l->output_size);
    void *const own_gradient = l->input_count ? input_gradients[0] : NULL;
    if (in_place && own_gradient)
        input_gradients[0] = output_gradient;
    thaw_layer_run run = l->run;
    run.inputs = (const void *const *)inputs;
    run.output = in_place ? inputs[0] : output;
    run.output_gradient = output_gradient;
    run.input_gradients = input_gradients;
    run.parameters = (const float *const *)l->parameters;
    run.parameter_gradients = l->parameter_gradients;
    run.statistics = l->parameters;
    bool *const nobody_asks[THAW_MAX_PARAMETERS] = { 0 };
    const thaw_capability_run capabilities = { .gradient_rows = l->listed_rows, .finite = nobody_asks };
    run.capabilities = &capabilities;
    const thaw_thread_scope scope = thaw_threads_enter(l->context);
    assert_ok(l->context, function(&run));
    thaw_threads_leave(scope);
    if (l->input_count)
        input_gradients[0] = own_gradient;
    for (size_t i = 0; i < l->input_count; i++) {
        take_back(is_of_floats(l, i), inputs[i], l->inputs[i], l->input_size[i]);
        take_back(is_of_floats(l, i), input_gradients[i], l->input_gradients[i], l->input_size[i]);
    }
    take_back(!l->bfloat16, output, l->output, l->output_size);
    take_back(!l->bfloat16, output_gradient, l->output_gradient, l->output_size);
}

void layer_round(layer *l)
{
    for (size_t i = 0; i < l->input_count; i++)
        round_input(l, i);
    round_values(l, l->output_gradient, l->output_size);
}

void layer_forward(layer *l)
{
    if (l->module->pack && (l->needs.packed_bytes || l->module->source))
        call(l, l->module->pack);
    call(l, l->module->forward);
}

void layer_backward(layer *l)
{
    call(l, l->module->backward);
}

static void compare_line(FILE *file, const char *name, const float *found, size_t count, double tolerance)
{
    if (!found)
        return;
    float *expected = make_buffer(count);
    golden_read(file, name, expected, count);
    assert_close(found, expected, count, tolerance, name);
    drop_buffer(expected, count, name);
}

void layer_equals_golden(layer *l, FILE *file, const char *name, double tolerance)
{
    golden_case(file, name);
    layer_forward(l);
    layer_backward(l);
    compare_line(file, "output", l->output, l->output_size, tolerance);
    compare_line(file, "input", l->input_gradients[0], l->input_size[0], tolerance);
    compare_line(file, "weight", l->parameter_gradients[0], l->parameter_size[0], tolerance);
    compare_line(file, "bias", l->parameter_gradients[1], l->parameter_size[1], tolerance);
}

void layer_close(layer *l, thaw_model *model)
{
    for (size_t i = 0; i < l->input_count; i++) {
        drop_buffer(l->inputs[i], l->input_size[i], "an input");
        drop_buffer(l->input_gradients[i], l->input_size[i], "an input's gradient");
    }
    for (size_t i = 0; i < l->parameter_count; i++) {
        drop_buffer(l->parameters[i], l->parameter_size[i], "a parameter");
        drop_buffer(l->parameter_gradients[i], l->parameter_size[i], "a parameter's gradient");
    }
    drop_buffer(l->output, l->output_size, "the output");
    drop_buffer(l->output_gradient, l->output_size, "the output's gradient");
    drop_bytes(l->run.packed, l->needs.packed_bytes, "packed memory");
    drop_bytes(l->run.workspace, l->needs.workspace_bytes, "the workspace");
    drop_bytes(l->run.scratch, l->needs.scratch_bytes, "scratch memory");
    l->module->release(l->context, l->needs.state);
    thaw_model_destroy(model);
}
