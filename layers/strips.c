#include "strips.h"

#include <string.h>

#include "recurrent_kernels.h"

typedef struct packing {
    const thaw_gate_weight *weight;
    const float *values;
    float *strips;
} packing;

static size_t block_units(const thaw_gate_weight *weight, size_t block)
{
    const size_t left = weight->units - block * THAW_BLOCK;
    return left < THAW_BLOCK ? left : THAW_BLOCK;
}

size_t thaw_strips_blocks(size_t units)
{
    return (units + THAW_BLOCK - 1) / THAW_BLOCK;
}

size_t thaw_strips_forward_count(const thaw_gate_weight *weight)
{
    return thaw_strips_blocks(weight->units) * weight->gates * weight->units * THAW_BLOCK;
}

/* One strip a call: of block s / gates and gate s % gates. Rows of the weight become columns. */
static void pack_forward(void *argument, size_t begin, size_t end)
{
    const packing *p = argument;
    const size_t units = p->weight->units, gates = p->weight->gates;
    for (size_t s = begin; s < end; s++) {
        const size_t first = s / gates * THAW_BLOCK, count = block_units(p->weight, s / gates);
        const float *from = p->values + (s % gates * units + first) * units;
        float *strip = p->strips + s * units * THAW_BLOCK;
        for (size_t k = 0; k < units; k++) {
            for (size_t u = 0; u < count; u++)
                strip[k * THAW_BLOCK + u] = from[u * units + k];
            memset(strip + k * THAW_BLOCK + count, 0, (THAW_BLOCK - count) * sizeof *strip);
        }
    }
}

void thaw_strips_pack_forward(thaw_context *context, const thaw_gate_weight *weight, const float *values, float *strips)
{
    packing p = { weight, values, strips };
    thaw_parallel_for(context, thaw_strips_blocks(weight->units) * weight->gates, 1, pack_forward, &p);
}

size_t thaw_strips_backward_count(const thaw_gate_weight *weight)
{
    return thaw_strips_forward_count(weight);
}

static void pack_backward(void *argument, size_t begin, size_t end)
{
    const packing *p = argument;
    const size_t units = p->weight->units, depth = p->weight->gates * units;
    for (size_t block = begin; block < end; block++) {
        const size_t count = block_units(p->weight, block);
        const float *from = p->values + block * THAW_BLOCK;
        float *strip = p->strips + block * depth * THAW_BLOCK;
        for (size_t k = 0; k < depth; k++) {
            memcpy(strip + k * THAW_BLOCK, from + k * units, count * sizeof *strip);
            memset(strip + k * THAW_BLOCK + count, 0, (THAW_BLOCK - count) * sizeof *strip);
        }
    }
}

void thaw_strips_pack_backward(thaw_context *context, const thaw_gate_weight *weight, const float *values,
                               float *strips)
{
    packing p = { weight, values, strips };
    thaw_parallel_for(context, thaw_strips_blocks(weight->units), 1, pack_backward, &p);
}

size_t thaw_strips_bias_count(const thaw_gate_weight *weight)
{
    return thaw_strips_blocks(weight->units) * weight->gates * THAW_BLOCK;
}

void thaw_strips_pack_bias(const thaw_gate_weight *weight, const float *values, float *rows)
{
    memset(rows, 0, thaw_strips_bias_count(weight) * sizeof *rows);
    for (size_t q = 0; values && q < weight->gates; q++)
        for (size_t u = 0; u < weight->units; u++)
            rows[(u / THAW_BLOCK * weight->gates + q) * THAW_BLOCK + u % THAW_BLOCK] = values[q * weight->units + u];
}
