#include "layers/swapped_dense.h"

#include <string.h>

enum {
    GRAIN = 4096, /* the fewest elements of a thread */
    BLOCK = 16    /* numbers of a cache line, which are moved together */
};

/* ---- making ---- */

static thaw_status create_product(thaw_context *context, const thaw_inner_product *problem, thaw_swapped_dense *swapped)
{
    thaw_inner_product exchanged = {
        .batch = problem->outputs,
        .inputs = problem->inputs,
        .outputs = problem->batch,
        .training = problem->training,
        .packed = true,
    };
    thaw_status status = thaw_inner_product_forward(context, &exchanged, &swapped->product, NULL);
    if (status == THAW_OK)
        status = thaw_placement_create(context, swapped->product, swapped->batch, &swapped->packed);
    if (status != THAW_OK || swapped->packed)
        return status;
    thaw_kernel_release(context, swapped->product);
    exchanged.packed = false;
    return thaw_inner_product_forward(context, &exchanged, &swapped->product, NULL);
}

thaw_status thaw_swapped_dense_create(thaw_context *context, const thaw_inner_product *problem,
                                      thaw_swapped_dense *swapped)
{
    *swapped = (thaw_swapped_dense){ .batch = (size_t)problem->batch,
                                     .inputs = (size_t)problem->inputs,
                                     .outputs = (size_t)problem->outputs,
                                     .relu = problem->after.activation == THAW_ACTIVATION_RELU };
    const thaw_status status = create_product(context, problem, swapped);
    if (status != THAW_OK) {
        thaw_swapped_dense_release(context, swapped);
        return status;
    }
    swapped->packed_bytes = swapped->packed ? thaw_align(swapped->packed->bytes) : 0;
    swapped->product_bytes = thaw_align(swapped->batch * swapped->outputs * sizeof(float));
    return THAW_OK;
}

void thaw_swapped_dense_release(thaw_context *context, thaw_swapped_dense *swapped)
{
    thaw_kernel_release(context, swapped->product);
    thaw_placement_release(context, swapped->packed);
    *swapped = (thaw_swapped_dense){ 0 };
}

size_t thaw_swapped_dense_scratch_bytes(const thaw_swapped_dense *swapped)
{
    return swapped->packed_bytes + swapped->product_bytes + thaw_kernel_scratch_bytes(swapped->product);
}

/* ---- running ---- */

typedef struct job {
    const thaw_swapped_dense *swapped;
    const float *from, *bias; /* bias NULL: none */
    float *into;
} job;

static size_t past_block(size_t first, size_t count)
{
    return first + BLOCK < count ? first + BLOCK : count;
}

static void run_blocks(job *j, thaw_context *context, size_t count,
                       void (*body)(void *argument, size_t begin, size_t end))
{
    thaw_parallel_for(context, (count + BLOCK - 1) / BLOCK, GRAIN / (BLOCK * j->swapped->batch) + 1, body, j);
}

/* Packs blocks of elements of all samples: blocked layouts have an element of several samples side by side. */
static void pack_blocks(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const thaw_placement *packed = j->swapped->packed;
    for (size_t first = begin * BLOCK; first < end * BLOCK; first += BLOCK) {
        const size_t past = past_block(first, packed->row);
        for (size_t b = 0; b < packed->outputs; b++)
            for (size_t k = first; k < past; k++)
                j->into[packed->row_at[b] + packed->element_at[k]] = j->from[b * packed->row + k];
    }
}

static const float *pack(const thaw_swapped_dense *swapped, thaw_context *context, const float *input, float *packed)
{
    if (!swapped->packed)
        return input;
    job j = { .swapped = swapped, .from = input, .into = packed };
    if (swapped->packed->padded)
        memset(packed, 0, swapped->packed->bytes);
    run_blocks(&j, context, swapped->inputs, pack_blocks);
    return packed;
}

/* NaN stays. */
static float finish(const job *j, float sum, size_t output)
{
    const float value = j->bias ? sum + j->bias[output] : sum;
    return j->swapped->relu && value < 0 ? 0 : value;
}

/* Turns blocks of rows of the product [outputs, batch] into columns of [batch, outputs]. */
static void transpose_blocks(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t batch = j->swapped->batch, outputs = j->swapped->outputs;
    for (size_t first = begin * BLOCK; first < end * BLOCK; first += BLOCK) {
        const size_t past = past_block(first, outputs);
        for (size_t b = 0; b < batch; b++)
            for (size_t o = first; o < past; o++)
                j->into[b * outputs + o] = finish(j, j->from[o * batch + b], o);
    }
}

thaw_status thaw_swapped_dense_run(const thaw_swapped_dense *swapped, const thaw_layer_run *run, const float *weight,
                                   const float *bias)
{
    char *scratch = run->scratch;
    float *product = (float *)(void *)(scratch + swapped->packed_bytes);
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, weight },
        { THAW_ARGUMENT_WEIGHTS, pack(swapped, run->context, run->inputs[0], run->scratch) },
        { THAW_ARGUMENT_DESTINATION, product },
    };
    const thaw_status status = thaw_kernel_run(swapped->product, bindings, THAW_COUNT(bindings),
                                               scratch + swapped->packed_bytes + swapped->product_bytes);
    if (status != THAW_OK)
        return status;
    job j = { .swapped = swapped, .from = product, .bias = bias, .into = run->output };
    run_blocks(&j, run->context, swapped->outputs, transpose_blocks);
    return THAW_OK;
}
