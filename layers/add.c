/* The sum of two nodes. */
#include <string.h>
#include <thaw/layers.h>

#include "dnn/sum.h"

enum { GRAIN = 16384 };

typedef struct add {
    size_t count;
    thaw_kernel *forward;
} add;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    (void)options;
    const thaw_shape *left = thaw_builder_input(builder, 0), *right = thaw_builder_input(builder, 1);
    char texts[2][80];
    if (!thaw_shape_equal(left, right))
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the inputs have shapes %s and %s, wanted one shape",
                                 thaw_shape_format(left, texts[0], sizeof texts[0]),
                                 thaw_shape_format(right, texts[1], sizeof texts[1]));
    thaw_builder_flops(builder, (double)thaw_shape_count(left));
    return thaw_builder_output(builder, left);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    add *a = thaw_allocate(demand->context, sizeof *a);
    if (!a)
        return THAW_OUT_OF_MEMORY;
    a->count = (size_t)demand->batch * thaw_shape_count(&demand->output);
    const thaw_status status = thaw_sum_create(demand->context, a->count, &a->forward);
    if (status != THAW_OK) {
        thaw_release(demand->context, a);
        return status;
    }
    needs->state = a;
    needs->scratch_bytes = thaw_kernel_scratch_bytes(a->forward);
    needs->in_place = needs->gradient_in_place = true;
    needs->kernel = thaw_kernel_name(a->forward);
    return THAW_OK;
}

static thaw_status forward(const thaw_layer_run *run)
{
    const add *a = run->state;
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, run->inputs[0] },
        { THAW_ARGUMENT_SOURCE_1, run->inputs[1] },
        { THAW_ARGUMENT_DESTINATION, run->output },
    };
    return thaw_kernel_run(a->forward, bindings, THAW_COUNT(bindings), run->scratch);
}

typedef struct copy {
    const float *source;
    float *destination;
} copy;

static void copy_range(void *argument, size_t begin, size_t end)
{
    const copy *c = argument;
    memcpy(c->destination + begin, c->source + begin, (end - begin) * sizeof(float));
}

/* Both gradients are the output's, which may stand in the right place already. */
static thaw_status backward(const thaw_layer_run *run)
{
    const add *a = run->state;
    for (int i = 0; i < 2; i++) {
        copy c = { run->output_gradient, run->input_gradients[i] };
        if (c.destination && c.destination != c.source)
            thaw_parallel_for(run->context, a->count, GRAIN, copy_range, &c);
    }
    return THAW_OK;
}

static void release(thaw_context *context, void *state)
{
    add *a = state;
    thaw_kernel_release(context, a->forward);
    thaw_release(context, a);
}

static const thaw_layer_module module = {
    .name = "add",
    .options_size = sizeof(thaw_simple_options),
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = release,
};

thaw_status thaw_add(thaw_model *model, thaw_node left, thaw_node right, const thaw_simple_options *options,
                     thaw_node *output)
{
    const thaw_simple_options chosen = options ? *options : (thaw_simple_options){ 0 };
    const thaw_node inputs[] = { left, right };
    return thaw_model_append(model, &module, chosen.name, inputs, 2, &chosen, output);
}
