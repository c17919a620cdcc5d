/* Initial values: He et al. 2015 (arXiv 1502.01852), Glorot & Bengio 2010, and PyTorch's default for dense and
   convolution layers, uniform in +-1/sqrt(fan_in). */
#include <math.h>
#include <string.h>

#include "core/context.h"
#include "core/philox.h"
#include "kernels/normal_loops.h"
#include "params/parameter.h"

enum { BLOCK = 256 /* even, for pairs */, GRAIN = 16 /* blocks that a thread takes on at least */ };

/* A distribution: uniform in [-scale, scale), or normal with that standard deviation. */
typedef struct distribution {
    bool normal;
    double scale;
} distribution;

static distribution distribution_of(thaw_initializer initializer, double fan_in, double fan_out)
{
    const double in = fan_in, both = fan_in + fan_out;
    switch (initializer) {
    case THAW_INITIAL_HE_UNIFORM:
        return (distribution){ false, sqrt(6 / in) };
    case THAW_INITIAL_HE_NORMAL:
        return (distribution){ true, sqrt(2 / in) };
    case THAW_INITIAL_XAVIER_UNIFORM:
        return (distribution){ false, sqrt(6 / both) };
    case THAW_INITIAL_XAVIER_NORMAL:
        return (distribution){ true, sqrt(2 / both) };
    case THAW_INITIAL_HE_NORMAL_OUT:
        return (distribution){ true, sqrt(2 / fan_out) };
    case THAW_INITIAL_UNIFORM_OUT:
        return (distribution){ false, 1 / sqrt(fan_out) };
    case THAW_INITIAL_SMALL_NORMAL:
        return (distribution){ true, 0.01 };
    case THAW_INITIAL_TRANSFORMER:
        return (distribution){ true, 0.02 };
    case THAW_INITIAL_NORMAL:
        return (distribution){ true, 1 };
    default:
        return (distribution){ false, 1 / sqrt(in) };
    }
}

static distribution distribution_of_parameter(const thaw_parameter *parameter)
{
    distribution found = distribution_of(parameter->initializer, parameter->fan_in, parameter->fan_out);
    found.scale *= parameter->initial_scale;
    return found;
}

const char *thaw_initializer_error(thaw_initializer initializer, double fan_in, double fan_out)
{
    if ((int)initializer < THAW_INITIAL_DEFAULT || (int)initializer > THAW_INITIAL_CONSTANT)
        return "has an unknown initializer";
    if (initializer == THAW_INITIAL_ZERO || initializer == THAW_INITIAL_ONE || initializer == THAW_INITIAL_CONSTANT)
        return NULL;
    const double scale = distribution_of(initializer, fan_in, fan_out).scale;
    return isfinite(scale) && scale > 0 ? NULL : "needs fans above 0 for its initial values";
}

static void fill_constant(thaw_parameter *parameter, float value)
{
    for (size_t i = 0; i < parameter->count; i++)
        parameter->data[i] = value;
}

typedef struct filling {
    const thaw_context *context;
    const thaw_stream *random;
    distribution wanted;
    float *data;
    size_t count;
} filling;

/* Value i of a uniform distribution is made from draw i. Two values of a normal distribution are made from the pair
   of draws at their places. */
static void fill_block(const filling *f, size_t first, size_t count)
{
    uint32_t draws[BLOCK];
    float values[BLOCK];
    thaw_random_fill(f->context, f->random, first, count + count % 2, draws);
    if (f->wanted.normal)
        THAW_FOR_LEVEL(f->context->level, thaw_normal_loops)(draws, count + count % 2, (float)f->wanted.scale, values);
    else
        for (size_t i = 0; i < count; i++)
            values[i] = (float)(f->wanted.scale * (2 * (double)thaw_unit(draws[i]) - 1));
    memcpy(f->data + first, values, count * sizeof *values);
}

static void fill_blocks(void *argument, size_t begin, size_t end)
{
    const filling *f = argument;
    for (size_t first = begin * BLOCK; first < f->count && first < end * BLOCK; first += BLOCK)
        fill_block(f, first, f->count - first < BLOCK ? f->count - first : BLOCK);
}

static void fill_random(thaw_context *context, thaw_parameter *parameter, distribution wanted)
{
    filling f = { context, &parameter->random, wanted, parameter->data, parameter->count };
    thaw_parallel_for(context, (f.count + BLOCK - 1) / BLOCK, GRAIN, fill_blocks, &f);
}

void thaw_parameter_initialize(thaw_context *context, thaw_parameter *parameter)
{
    parameter->absent = false; /* all values are written */
    parameter->random.seed = context->seed;
    parameter->random.purpose = THAW_PURPOSE_INITIAL;
    if (parameter->initializer == THAW_INITIAL_ZERO)
        fill_constant(parameter, 0);
    else if (parameter->initializer == THAW_INITIAL_ONE)
        fill_constant(parameter, 1);
    else if (parameter->initializer == THAW_INITIAL_CONSTANT)
        fill_constant(parameter, (float)parameter->constant);
    else if (!context->structure_only)
        fill_random(context, parameter, distribution_of_parameter(parameter));
    for (size_t i = 0; i < parameter->zeros; i++)
        parameter->data[parameter->zeros_at + i] = 0;
    parameter->version++;
    thaw_parameter_release_state(context, parameter);
}

void thaw_parameter_scale_initial(thaw_context *context, thaw_parameter *parameter, double scale)
{
    parameter->initial_scale = scale;
    thaw_parameter_initialize(context, parameter);
}

/* The low half of a stream's step distinguishes the parameters of a group, see set.c. */
void thaw_parameter_reset(thaw_context *context, thaw_parameter *parameter)
{
    parameter->random.step += UINT64_C(1) << 32;
    thaw_parameter_initialize(context, parameter);
}
