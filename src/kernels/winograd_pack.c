#include <string.h>

#include "core/context.h"
#include "kernels/panel_product.h"
#include "kernels/winograd.h"
#include "kernels/winograd_loops.h"
#include "onednn/own_kernel.h"

enum { TAPS = 9 };

size_t thaw_winograd_panels(size_t filters)
{
    return (filters + THAW_PANEL_WIDTH - 1) / THAW_PANEL_WIDTH;
}

/* Input channels that are transformed at a time. */
static size_t channels_at_once(const thaw_winograd_kernels *kernels)
{
    return kernels->bf16 ? 2 : 1;
}

static size_t rows_of_panel(const thaw_winograd_kernels *kernels)
{
    return (kernels->depth + channels_at_once(kernels) - 1) / channels_at_once(kernels);
}

/* A row has the same size in both types: bfloat16 has half the bytes per number and twice the channels per row. */
size_t thaw_winograd_kernels_bytes(const thaw_winograd_kernels *kernels)
{
    return thaw_winograd_panels(kernels->filters) * THAW_WINOGRAD_VALUES * rows_of_panel(kernels) * THAW_PANEL_WIDTH *
           sizeof(float);
}

typedef struct packing {
    const thaw_winograd_kernels *kernels;
    const thaw_winograd_functions *functions;
    const float *weight;
    char *packed;
} packing;

/* One input channel's kernels for a panel, in OIHW, to taps[TAPS][THAW_PANEL_WIDTH]; zeros past the last filter. */
static void collect(const packing *p, size_t panel, size_t channel, float *taps)
{
    const thaw_winograd_kernels *k = p->kernels;
    const size_t first = panel * THAW_PANEL_WIDTH, left = k->filters - first,
                 count = left < THAW_PANEL_WIDTH ? left : THAW_PANEL_WIDTH;
    const size_t step = k->rotated ? TAPS : k->depth * TAPS;
    const float *from = p->weight + (k->rotated ? (channel * k->filters + first) : (first * k->depth + channel)) * TAPS;
    if (count < THAW_PANEL_WIDTH)
        memset(taps, 0, TAPS * THAW_PANEL_WIDTH * sizeof *taps);
    for (size_t u = 0; u < count; u++)
        for (size_t t = 0; t < TAPS; t++)
            taps[t * THAW_PANEL_WIDTH + u] = from[u * step + (k->rotated ? TAPS - 1 - t : t)];
}

/* Row i is for the channels of row i % rows of panel i / rows. */
static void pack_rows(void *argument, size_t begin, size_t end)
{
    const packing *p = argument;
    const size_t rows = rows_of_panel(p->kernels), each = channels_at_once(p->kernels), plane = rows * THAW_PANEL_WIDTH;
    _Alignas(64) float taps[2][TAPS * THAW_PANEL_WIDTH];
    for (size_t i = begin; i < end; i++) {
        const size_t panel = i / rows, row = i % rows;
        void *values = p->packed + (panel * THAW_WINOGRAD_VALUES * plane + row * THAW_PANEL_WIDTH) * sizeof(float);
        for (size_t k = 0; k < each; k++)
            if (row * each + k < p->kernels->depth)
                collect(p, panel, row * each + k, taps[k]);
            else
                memset(taps[k], 0, sizeof taps[k]);
        if (p->kernels->bf16)
            p->functions->bf16_kernels(taps[0], values, 2 * plane);
        else
            p->functions->kernels(taps[0], values, plane);
    }
}

static void run_pack(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    (void)scratch;
    packing p = {
        .kernels = problem,
        .functions = THAW_FOR_LEVEL_BF16(context->level, &thaw_winograd_loops),
        .weight = arguments[THAW_ARGUMENT_SOURCE],
        .packed = arguments[THAW_ARGUMENT_DESTINATION],
    };
    thaw_parallel_for(context, thaw_winograd_panels(p.kernels->filters) * rows_of_panel(p.kernels), 16, pack_rows, &p);
}

thaw_status thaw_winograd_pack(thaw_context *context, const thaw_winograd_kernels *kernels, thaw_kernel **pack)
{
    const thaw_own_kernel own = {
        .name = THAW_WINOGRAD_NAME,
        .bytes = { [THAW_ARGUMENT_SOURCE] = kernels->filters * kernels->depth * TAPS * sizeof(float),
                   [THAW_ARGUMENT_DESTINATION] = thaw_winograd_kernels_bytes(kernels) },
        .run = run_pack,
    };
    return thaw_kernel_create_own(context, &own, kernels, sizeof *kernels, pack);
}
