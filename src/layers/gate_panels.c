#include "layers/gate_panels.h"

#include <string.h>

#include "kernels/bfloat16.h"
#include "kernels/recurrent_kernels.h"

typedef struct packing {
    const thaw_gate_weight *weight;
    const float *values;
    void *panels;
} packing;

static size_t block_units(const thaw_gate_weight *weight, size_t block)
{
    const size_t left = weight->units - block * THAW_BLOCK;
    return left < THAW_BLOCK ? left : THAW_BLOCK;
}

size_t thaw_gate_panels_blocks(size_t units)
{
    return (units + THAW_BLOCK - 1) / THAW_BLOCK;
}

size_t thaw_gate_panels_panel_bytes(const thaw_gate_weight *weight)
{
    const bool bf16 = weight->precision == THAW_BF16;
    const size_t depth = bf16 ? (weight->depth + 1) / 2 * 2 : weight->depth;
    return depth * THAW_BLOCK * thaw_dtype_bytes(weight->precision);
}

size_t thaw_gate_panels_forward_bytes(const thaw_gate_weight *weight)
{
    return thaw_gate_panels_blocks(weight->units) * weight->gates * thaw_gate_panels_panel_bytes(weight);
}

/* Turns `units` rows of a weight into columns of a panel. Other columns stay. */
static void fill_panel(float *panel, const float *from, size_t units, size_t depth)
{
    for (size_t k = 0; k < depth; k++)
        for (size_t u = 0; u < units; u++)
            panel[k * THAW_BLOCK + u] = from[u * depth + k];
}

static void fill_pairs(thaw_bfloat16 *panel, const float *from, size_t units, size_t depth)
{
    for (size_t k = 0; k < depth; k++)
        for (size_t u = 0; u < units; u++)
            panel[(k / 2 * THAW_BLOCK + u) * 2 + k % 2] = thaw_bfloat16_round(from[u * depth + k]);
}

/* Panel s is for block s / gates and gate s % gates. */
static void pack_forward(void *argument, size_t begin, size_t end)
{
    const packing *p = argument;
    const thaw_gate_weight *w = p->weight;
    const size_t bytes = thaw_gate_panels_panel_bytes(w);
    for (size_t s = begin; s < end; s++) {
        const size_t block = s / w->gates, units = block_units(w, block);
        const float *from = p->values + (s % w->gates * w->units + block * THAW_BLOCK) * w->depth;
        void *panel = (char *)p->panels + s * bytes;
        if (units < THAW_BLOCK || w->depth % 2)
            memset(panel, 0, bytes);
        if (w->precision == THAW_F32)
            fill_panel(panel, from, units, w->depth);
        else
            fill_pairs(panel, from, units, w->depth);
    }
}

void thaw_gate_panels_pack_forward(thaw_context *context, const thaw_gate_weight *weight, const float *values,
                                   void *panels)
{
    packing p = { weight, values, panels };
    thaw_parallel_for(context, thaw_gate_panels_blocks(weight->units) * weight->gates, 1, pack_forward, &p);
}

size_t thaw_gate_panels_backward_bytes(const thaw_gate_weight *weight)
{
    return thaw_gate_panels_blocks(weight->units) * weight->gates * weight->units * THAW_BLOCK * sizeof(float);
}

static void pack_backward(void *argument, size_t begin, size_t end)
{
    const packing *p = argument;
    const size_t units = p->weight->units, depth = p->weight->gates * units;
    for (size_t block = begin; block < end; block++) {
        const size_t count = block_units(p->weight, block);
        const float *from = p->values + block * THAW_BLOCK;
        float *panel = (float *)p->panels + block * depth * THAW_BLOCK;
        for (size_t k = 0; k < depth; k++) {
            memcpy(panel + k * THAW_BLOCK, from + k * units, count * sizeof *panel);
            memset(panel + k * THAW_BLOCK + count, 0, (THAW_BLOCK - count) * sizeof *panel);
        }
    }
}

void thaw_gate_panels_pack_backward(thaw_context *context, const thaw_gate_weight *weight, const float *values,
                                    float *panels)
{
    packing p = { weight, values, panels };
    thaw_parallel_for(context, thaw_gate_panels_blocks(weight->units), 1, pack_backward, &p);
}

size_t thaw_gate_panels_bias_count(const thaw_gate_weight *weight)
{
    return thaw_gate_panels_blocks(weight->units) * weight->gates * THAW_BLOCK;
}

void thaw_gate_panels_pack_bias(const thaw_gate_weight *weight, const float *values, float *rows)
{
    memset(rows, 0, thaw_gate_panels_bias_count(weight) * sizeof *rows);
    for (size_t q = 0; values && q < weight->gates; q++)
        for (size_t u = 0; u < weight->units; u++)
            rows[(u / THAW_BLOCK * weight->gates + q) * THAW_BLOCK + u % THAW_BLOCK] = values[q * weight->units + u];
}
