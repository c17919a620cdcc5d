#include "report/block_norms.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "graph/model.h"
#include "policy/parameter_blocks.h"

static thaw_status fill(thaw_block_norms *norms, const thaw_model_blocks *blocks)
{
    thaw_model *model = norms->model;
    thaw_context *context = model->context;
    norms->parameters = thaw_model_parameter_count(model);
    norms->count = blocks->count + 1;
    norms->blocks = thaw_allocate_array(context, norms->count, sizeof *norms->blocks);
    norms->block_of = thaw_allocate_array(context, norms->parameters + 1, sizeof *norms->block_of);
    norms->before = thaw_allocate_array(context, norms->parameters + 1, sizeof *norms->before);
    char(*names)[THAW_BLOCK_NAME_BYTES] = thaw_allocate_array(context, norms->count, sizeof *names);
    if (!norms->blocks || !norms->block_of || !norms->before || !names) {
        thaw_release(context, names);
        return THAW_OUT_OF_MEMORY;
    }
    thaw_model_blocks_name(model, blocks, names);
    for (size_t i = 0; i < blocks->count; i++)
        memcpy(norms->blocks[i].name, names[i], sizeof norms->blocks[i].name);
    thaw_release(context, names);
    snprintf(norms->blocks[blocks->count].name, sizeof norms->blocks->name, "other");
    bool others = false;
    for (size_t i = 0; i < norms->parameters; i++) {
        norms->block_of[i] = thaw_block_of_parameter(model, blocks, thaw_model_parameter(model, i)->name);
        others = others || norms->block_of[i] == blocks->count;
    }
    norms->count -= !others;
    return THAW_OK;
}

thaw_status thaw_block_norms_find(thaw_model *model, thaw_block_norms *norms)
{
    *norms = (thaw_block_norms){ .model = model };
    thaw_model_blocks blocks;
    thaw_status status = thaw_model_blocks_find(model, NULL, &blocks);
    if (status == THAW_OK)
        status = fill(norms, &blocks);
    thaw_model_blocks_release(model->context, &blocks);
    return status;
}

static void forget(thaw_block_norms *norms)
{
    for (size_t i = 0; norms->before && i < norms->parameters; i++) {
        thaw_release(norms->model->context, norms->before[i]);
        norms->before[i] = NULL;
    }
}

thaw_status thaw_block_norms_keep(thaw_block_norms *norms)
{
    forget(norms);
    for (size_t i = 0; i < norms->parameters; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(norms->model, i);
        if (thaw_parameter_trainability(parameter) == THAW_FROZEN || !parameter->data)
            continue;
        const size_t bytes = parameter->count * sizeof(float);
        norms->before[i] = thaw_allocate_raw(norms->model->context, bytes);
        if (!norms->before[i])
            return THAW_OUT_OF_MEMORY;
        memcpy(norms->before[i], parameter->data, bytes);
    }
    return THAW_OK;
}

static double square_sum(const float *values, const float *less, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double value = less ? (double)values[i] - (double)less[i] : (double)values[i];
        sum += value * value;
    }
    return sum;
}

/* Adds to a sum that is NAN as long as nothing was added. */
static void add(double *sum, double value)
{
    *sum = (isnan(*sum) ? 0 : *sum) + value;
}

void thaw_block_norms_measure(thaw_block_norms *norms)
{
    for (size_t i = 0; i < norms->count; i++)
        norms->blocks[i].rate = norms->blocks[i].gradient = norms->blocks[i].update = NAN;
    for (size_t i = 0; i < norms->parameters; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(norms->model, i);
        const float *gradient = thaw_parameter_gradient(parameter);
        thaw_block_norm *block = &norms->blocks[norms->block_of[i]];
        if (!gradient)
            continue;
        add(&block->gradient, square_sum(gradient, NULL, parameter->count));
        if (norms->before[i])
            add(&block->update, square_sum(parameter->data, norms->before[i], parameter->count));
        block->rate = fmax(block->rate, thaw_group_learning_rate(parameter->group));
    }
    for (size_t i = 0; i < norms->count; i++) {
        norms->blocks[i].gradient = sqrt(norms->blocks[i].gradient);
        norms->blocks[i].update = sqrt(norms->blocks[i].update);
    }
    forget(norms);
}

void thaw_block_norms_release(thaw_block_norms *norms)
{
    thaw_context *context = norms->model->context;
    forget(norms);
    thaw_release(context, norms->before);
    thaw_release(context, norms->block_of);
    thaw_release(context, norms->blocks);
    *norms = (thaw_block_norms){ .model = norms->model };
}
