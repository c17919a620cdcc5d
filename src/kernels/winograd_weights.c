#include "kernels/winograd_weights.h"

#include <string.h>

#include "core/context.h"
#include "core/threads.h"
#include "kernels/winograd_weights_loops.h"
#include "onednn/own_kernel.h"

enum {
    DEPTH = 64,             /* tiles whose products are summed before they are added to the sums so far */
    ROUND_BYTES = 16 << 20, /* of transformed tiles at a time: they should stay in the caches */
    BLOCK = 2,              /* panels of filters, and of channels, in a block */
    FINISH_ROWS = 8,        /* filters of a panel that are finished together */
};

/* How one convolution's gradient is computed: in rounds, each of which transforms tiles and then multiplies them.
   Threads share the tiles of a round for the first, and the sums for the second.

   If there are few tiles, the sums are larger than all else. Then they are computed in blocks of a few panels and
   finished at once, and each thread keeps only one block. */
typedef struct blocking {
    const thaw_winograd_weights_functions *functions;
    thaw_tiling source, gradient; /* without values */
    size_t tiles, tiles_a_round, rounds;
    size_t channels, filters, channel_panels, filter_panels;
    size_t point_stride;
    bool in_blocks;
    size_t window_floats, tile_floats, sum_floats; /* of scratch: windows, tiles, sums */
    size_t bias_doubles;                           /* and the bias's sums */
} blocking;

typedef struct run {
    const blocking *blocking;
    thaw_tiling source, gradient;
    thaw_tile_panels windows, tiles;
    float *sums;
    double *bias_sums;
    float *weights, *bias; /* bias NULL: not wanted */
} run;

static size_t share(size_t count, int thread, int threads)
{
    return count * (size_t)thread / (size_t)threads;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The channels in a panel. The last may have fewer. */
static size_t in_panel(size_t channels, size_t panel)
{
    return least(channels - panel * THAW_TILE_PANEL, THAW_TILE_PANEL);
}

/* Multiplies one point of a panel of filters and a panel of channels, for the tiles of one round. */
static void multiply(const run *r, size_t round, size_t point, size_t filter_panel, size_t channel_panel, float *sums)
{
    const blocking *p = r->blocking;
    const size_t count = least(p->tiles - round * p->tiles_a_round, p->tiles_a_round);
    const size_t filters = in_panel(p->filters, filter_panel);
    const float *tiles = r->tiles.values + filter_panel * r->tiles.panel_stride + point * p->point_stride;
    const float *windows = r->windows.values + channel_panel * r->windows.panel_stride + point * p->point_stride;
    for (size_t tile = 0; tile < count; tile += DEPTH)
        p->functions->multiply(least(count - tile, DEPTH), filters, tiles + tile * THAW_TILE_PANEL,
                               windows + tile * THAW_TILE_PANEL, sums, round > 0 || tile > 0);
}

/* The bias's gradient for a panel: the sum over all tiles, in doubles because there may be many. */
static void sum_bias(const run *r, size_t round, size_t filter_panel)
{
    const blocking *p = r->blocking;
    const size_t count = least(p->tiles - round * p->tiles_a_round, p->tiles_a_round);
    const float *tiles = r->tiles.values + filter_panel * r->tiles.panel_stride + THAW_POINTS * p->point_stride;
    double *sums = r->bias_sums + filter_panel * THAW_TILE_PANEL;
    if (round == 0)
        memset(sums, 0, THAW_TILE_PANEL * sizeof *sums);
    for (size_t tile = 0; tile < count; tile += DEPTH) {
        float partial[THAW_TILE_PANEL];
        p->functions->sum(least(count - tile, DEPTH), tiles + tile * THAW_TILE_PANEL, partial);
        for (size_t k = 0; k < THAW_TILE_PANEL; k++)
            sums[k] += (double)partial[k];
    }
    for (size_t k = 0; k < in_panel(p->filters, filter_panel) && round + 1 == p->rounds; k++)
        r->bias[filter_panel * THAW_TILE_PANEL + k] = (float)sums[k];
}

static void finish(const run *r, const float *sums, size_t filter_panel, size_t channel_panel, size_t row, size_t rows)
{
    const blocking *p = r->blocking;
    const size_t filter = filter_panel * THAW_TILE_PANEL + row, stride = 9 * p->channels;
    p->functions->finish(sums + row * THAW_TILE_PANEL, rows, in_panel(p->channels, channel_panel),
                         r->weights + filter * stride + channel_panel * THAW_TILE_PANEL * 9, stride);
}

/* ---- sums that are kept: [filter panel][channel panel] ---- */

static float *kept_sums(const run *r, size_t filter_panel, size_t channel_panel)
{
    return r->sums + (filter_panel * r->blocking->channel_panels + channel_panel) * THAW_POINTS * THAW_SUMS;
}

/* Takes one point at a time, whose transformed tiles then stay in the cache. */
static void multiply_kept(const run *r, size_t round, int thread, int threads)
{
    const blocking *p = r->blocking;
    const size_t units = THAW_POINTS * p->filter_panels, end = share(units, thread + 1, threads);
    for (size_t unit = share(units, thread, threads); unit < end; unit++) {
        const size_t point = unit / p->filter_panels, filter_panel = unit % p->filter_panels;
        for (size_t c = 0; c < p->channel_panels; c++)
            multiply(r, round, point, filter_panel, c, kept_sums(r, filter_panel, c) + point * THAW_SUMS);
        if (r->bias && point == 0)
            sum_bias(r, round, filter_panel);
    }
}

static void finish_kept(const run *r, int thread, int threads)
{
    const blocking *p = r->blocking;
    enum { GROUPS = THAW_TILE_PANEL / FINISH_ROWS };
    const size_t units = p->filter_panels * GROUPS * p->channel_panels, end = share(units, thread + 1, threads);
    for (size_t unit = share(units, thread, threads); unit < end; unit++) {
        const size_t c = unit % p->channel_panels, group = unit / p->channel_panels;
        const size_t filter_panel = group / GROUPS, row = group % GROUPS * FINISH_ROWS;
        const size_t filters = in_panel(p->filters, filter_panel);
        if (row < filters)
            finish(r, kept_sums(r, filter_panel, c), filter_panel, c, row, least(filters - row, FINISH_ROWS));
    }
}

/* ---- sums of a block: [its filter panel][its channel panel] ---- */

static size_t block_count(size_t panels)
{
    return (panels + BLOCK - 1) / BLOCK;
}

static void compute_block(const run *r, size_t first_filter_panel, size_t first_channel_panel, float *sums)
{
    const blocking *p = r->blocking;
    const size_t filter_panels = least(p->filter_panels - first_filter_panel, BLOCK);
    const size_t pairs = filter_panels * BLOCK;
    for (size_t unit = 0; unit < THAW_POINTS * pairs; unit++) {
        const size_t point = unit / pairs, pair = unit % pairs, c = first_channel_panel + pair % BLOCK;
        if (c < p->channel_panels)
            multiply(r, 0, point, first_filter_panel + pair / BLOCK, c,
                     sums + (pair * THAW_POINTS + point) * THAW_SUMS);
    }
    for (size_t pair = 0; pair < pairs; pair++) {
        const size_t k = first_filter_panel + pair / BLOCK, c = first_channel_panel + pair % BLOCK;
        if (c < p->channel_panels)
            finish(r, sums + pair * THAW_POINTS * THAW_SUMS, k, c, 0, in_panel(p->filters, k));
        if (r->bias && c == 0)
            sum_bias(r, 0, k);
    }
}

static void compute_blocks(const run *r, int thread, int threads)
{
    const blocking *p = r->blocking;
    const size_t columns = block_count(p->channel_panels), blocks = block_count(p->filter_panels) * columns;
    float *sums = r->sums + (size_t)thread * BLOCK * BLOCK * THAW_POINTS * THAW_SUMS;
    const size_t end = share(blocks, thread + 1, threads);
    for (size_t block = share(blocks, thread, threads); block < end; block++)
        compute_block(r, block / columns * BLOCK, block % columns * BLOCK, sums);
}

/* ---- the whole ---- */

static void transform(const run *r, size_t round, int thread, int threads)
{
    const blocking *p = r->blocking;
    const size_t first = round * p->tiles_a_round, count = least(p->tiles - first, p->tiles_a_round);
    const size_t begin = share(count, thread, threads), own = share(count, thread + 1, threads) - begin;
    thaw_tile_panels windows = r->windows, tiles = r->tiles;
    windows.values += begin * THAW_TILE_PANEL;
    tiles.values += begin * THAW_TILE_PANEL;
    p->functions->windows(&r->source, first + begin, own, &windows);
    p->functions->tiles(&r->gradient, first + begin, own, &tiles);
}

static void run_member(void *argument, int thread, int threads)
{
    const run *r = argument;
    for (size_t round = 0; round < r->blocking->rounds; round++) {
        transform(r, round, thread, threads);
        thaw_barrier(threads);
        if (r->blocking->in_blocks)
            compute_blocks(r, thread, threads);
        else
            multiply_kept(r, round, thread, threads);
        thaw_barrier(threads);
    }
    if (!r->blocking->in_blocks)
        finish_kept(r, thread, threads);
}

static void run_blocked(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    const blocking *p = problem;
    float *windows = scratch, *tiles = windows + p->window_floats;
    run r = {
        .blocking = p,
        .source = p->source,
        .gradient = p->gradient,
        .windows = { windows, THAW_POINTS * p->point_stride, p->point_stride },
        .tiles = { tiles, (THAW_POINTS + 1) * p->point_stride, p->point_stride },
        .sums = tiles + p->tile_floats,
        .bias_sums = (double *)(void *)(tiles + p->tile_floats + p->sum_floats),
        .weights = arguments[THAW_ARGUMENT_WEIGHTS_GRADIENT],
        .bias = p->bias_doubles ? arguments[THAW_ARGUMENT_BIAS_GRADIENT] : NULL,
    };
    r.source.values = arguments[THAW_ARGUMENT_SOURCE];
    r.gradient.values = arguments[THAW_ARGUMENT_DESTINATION_GRADIENT];
    thaw_parallel(context, run_member, &r);
}

static size_t panels_of(size_t channels)
{
    return (channels + THAW_TILE_PANEL - 1) / THAW_TILE_PANEL;
}

/* Chooses rounds of equal size, a multiple of DEPTH so that the order of sums does not depend on the number of
   threads. */
static void choose_rounds(blocking *p, size_t threads)
{
    const size_t tile_bytes = (p->channel_panels + p->filter_panels) * THAW_TILE_PANEL * THAW_POINTS * sizeof(float);
    const size_t fitting = ROUND_BYTES / tile_bytes / DEPTH, most = (fitting ? least(threads, fitting) : 1) * DEPTH;
    p->rounds = (p->tiles + most - 1) / most;
    const size_t even = (p->tiles + p->rounds - 1) / p->rounds;
    p->tiles_a_round = (even + DEPTH - 1) / DEPTH * DEPTH;
    p->rounds = (p->tiles + p->tiles_a_round - 1) / p->tiles_a_round;
}

/* The sums are four times as large as the weights, whose gradient is in memory: their size needs no check. */
static void size_scratch(blocking *p, size_t threads)
{
    const size_t pairs = p->filter_panels * p->channel_panels;
    const size_t blocks = block_count(p->filter_panels) * block_count(p->channel_panels);
    p->in_blocks = p->rounds == 1 && blocks >= 8 * threads;
    p->point_stride = least(p->tiles, p->tiles_a_round) * THAW_TILE_PANEL + THAW_TILE_PANEL;
    p->window_floats = p->channel_panels * THAW_POINTS * p->point_stride;
    p->tile_floats = p->filter_panels * (THAW_POINTS + 1) * p->point_stride;
    p->sum_floats = (p->in_blocks ? threads * BLOCK * BLOCK : pairs) * THAW_POINTS * THAW_SUMS;
}

/* Without functions. */
static blocking blocking_of(const thaw_convolution *c, size_t threads)
{
    const size_t rows = (size_t)(c->output[0] + THAW_TILE - 1) / THAW_TILE;
    const size_t columns = (size_t)(c->output[1] + THAW_TILE - 1) / THAW_TILE;
    blocking p = {
        .source = { .rows = c->input[0], .columns = c->input[1], .channels = (size_t)c->input_channels },
        .gradient = { .rows = c->output[0], .columns = c->output[1], .channels = (size_t)c->output_channels },
        .tiles = (size_t)c->batch * rows * columns,
        .channels = (size_t)c->input_channels,
        .filters = (size_t)c->output_channels,
        .channel_panels = panels_of((size_t)c->input_channels),
        .filter_panels = panels_of((size_t)c->output_channels),
    };
    p.source.top = -c->padding_before[0];
    p.source.left = -c->padding_before[1];
    p.source.bf16 = p.gradient.bf16 = c->precision == THAW_BF16;
    p.source.tile_rows = p.gradient.tile_rows = rows;
    p.source.tile_columns = p.gradient.tile_columns = columns;
    choose_rounds(&p, threads);
    size_scratch(&p, threads);
    p.bias_doubles = c->bias ? p.filter_panels * THAW_TILE_PANEL : 0;
    return p;
}

double thaw_winograd_weights_multiplications(const thaw_convolution *problem)
{
    const blocking p = blocking_of(problem, 1);
    return THAW_POINTS * (double)p.tiles * (double)(p.channel_panels * p.filter_panels) * THAW_SUMS;
}

thaw_status thaw_winograd_weights_create(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel)
{
    blocking p = blocking_of(problem, (size_t)context->threads);
    p.functions = THAW_FOR_LEVEL(context->level, &thaw_winograd_weights_loops);
    const size_t value_bytes = problem->precision == THAW_BF16 ? sizeof(thaw_bfloat16) : sizeof(float);
    const size_t images = (size_t)problem->batch * value_bytes;
    const thaw_own_kernel own = {
        .name = "winograd 4x4",
        .bytes = {
            [THAW_ARGUMENT_SOURCE] = images * (size_t)(p.source.rows * p.source.columns) * p.channels,
            [THAW_ARGUMENT_DESTINATION_GRADIENT] = images * (size_t)(p.gradient.rows * p.gradient.columns) * p.filters,
            [THAW_ARGUMENT_WEIGHTS_GRADIENT] = 9 * p.channels * p.filters * sizeof(float),
            [THAW_ARGUMENT_BIAS_GRADIENT] = problem->bias ? p.filters * sizeof(float) : 0,
        },
        .scratch_bytes =
            (p.window_floats + p.tile_floats + p.sum_floats) * sizeof(float) + p.bias_doubles * sizeof(double),
        .run = run_blocked,
    };
    return thaw_kernel_create_own(context, &own, &p, sizeof p, kernel);
}
