#include "graph/input_part.h"

#include <string.h>

enum { GRAIN_BYTES = 65536 /* the fewest that a thread copies */ };

typedef struct part {
    size_t samples, first, count, stride; /* floats */
} part;

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_input_part *o = options;
    return thaw_builder_output(builder, &o->shape);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    const thaw_input_part *o = demand->options;
    const part taken = { (size_t)demand->batch, o->first, thaw_shape_count(&demand->output),
                         thaw_shape_count(&demand->inputs[0]) };
    needs->identity = taken.count == taken.stride;
    if (needs->identity)
        return THAW_OK;
    part *state = thaw_allocate(demand->context, sizeof *state);
    if (!state)
        return THAW_OUT_OF_MEMORY;
    *state = taken;
    needs->state = state;
    needs->kernel = "copy";
    return THAW_OK;
}

typedef struct copying {
    const part *part;
    const float *from;
    float *into;
} copying;

static void copy(void *argument, size_t begin, size_t end)
{
    const copying *c = argument;
    const part *p = c->part;
    for (size_t i = begin; i < end; i++)
        memcpy(c->into + i * p->count, c->from + i * p->stride + p->first, p->count * sizeof *c->into);
}

static thaw_status forward(const thaw_layer_run *run)
{
    const part *p = run->state;
    copying c = { p, run->inputs[0], run->output };
    thaw_parallel_for(run->context, p->samples, GRAIN_BYTES / (p->count * sizeof *c.into) + 1, copy, &c);
    return THAW_OK;
}

const thaw_layer_module thaw_input_of_floats = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "input",
    .options_size = sizeof(thaw_input_part),
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .release = thaw_release,
};

const thaw_layer_module thaw_input_of_whole_numbers = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "input i32",
    .options_size = sizeof(thaw_input_part),
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .release = thaw_release,
};
