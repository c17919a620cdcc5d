#include "kernels/winograd.h"

#include <string.h>

#include "core/context.h"
#include "core/threads.h"
#include "kernels/panel_product.h"
#include "kernels/winograd_loops.h"
#include "onednn/own_kernel.h"

/* A thread takes BLOCK_TILES tiles through all stages at a time: between the stages they stay in the second-level
   cache, and the product takes 12 of them at a time. If there are fewer tiles per thread, threads share tiles and
   divide the panels. */
enum { BLOCK_TILES = 48, GRAIN = 4, TILE = 2, VECTOR = 16, LINE_BYTES = 64 };

typedef struct convolution {
    thaw_winograd_image image; /* without pixels, */
    thaw_winograd_map map;     /* which `run` fills in */
    bool bias;
    thaw_residual residual;
    thaw_argument source, destination;
    size_t tiles, panels;
    size_t block, value_stride;                   /* tiles a block; elements a tile in a transformed value */
    size_t matrix_bytes;                          /* of a panel's kernels, a value */
    size_t zeros_bytes, values_bytes, sums_bytes; /* of scratch memory: once, and for each thread */
} convolution;

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

static size_t round_up(size_t count, size_t unit)
{
    return (count + unit - 1) / unit * unit;
}

/* ---- running ---- */

typedef struct job {
    const convolution *c;
    thaw_winograd_image image;
    thaw_winograd_map map;
    const char *kernels;
    char *scratch;
    const thaw_winograd_functions *functions;
    thaw_panel_product_function *product;
    thaw_panel_product_bfloat16_function *bf16_product;
} job;

typedef struct range {
    size_t begin, end;
} range;

/* Part `at` of `shares`, cut at multiples of `grain`. */
static range share_of(range whole, size_t grain, size_t at, size_t shares)
{
    const size_t grains = (whole.end - whole.begin + grain - 1) / grain;
    const size_t begin = whole.begin + grains * at / shares * grain;
    const size_t end = whole.begin + grains * (at + 1) / shares * grain;
    return (range){ smaller(begin, whole.end), smaller(end, whole.end) };
}

/* The number of shares into which panels are cut. Each share is computed by the same number of threads. */
static size_t panel_shares(const convolution *c, size_t threads)
{
    size_t shares = 1;
    for (size_t i = 1; i <= smaller(threads, c->panels) && c->tiles * shares < BLOCK_TILES * threads; i++)
        if (threads % i == 0)
            shares = i;
    return shares;
}

/* The size of one channel of a pixel or a value. */
static size_t element_bytes(bool bf16)
{
    return bf16 ? sizeof(thaw_bfloat16) : sizeof(float);
}

/* `block` tiles of `stride` elements. One more cache line keeps the 16 values of a tile apart in the first-level
   cache. */
static thaw_winograd_values values_in(char *memory, size_t block, size_t stride, bool bf16)
{
    return (thaw_winograd_values){ memory, block * stride + LINE_BYTES / element_bytes(bf16), stride };
}

static size_t values_bytes(size_t block, size_t stride, bool bf16)
{
    return THAW_WINOGRAD_VALUES * (block * stride * element_bytes(bf16) + LINE_BYTES);
}

/* Bytes of the image. */
typedef struct span {
    const char *begin, *end;
} span;

/* About the pixels that these tiles read and the previous ones did not: in proportion, and one row ahead. */
static span pixels_of(const job *j, range tiles)
{
    const size_t *size = j->image.size, pixel = j->image.channels * element_bytes(j->image.bf16);
    const size_t all = j->c->tiles / (j->image.tiles[0] * j->image.tiles[1]) * size[0] * size[1];
    const size_t begin = all * tiles.begin / j->c->tiles + size[1], end = all * tiles.end / j->c->tiles + size[1];
    const char *first = j->image.pixels;
    return (span){ first + smaller(begin, all) * pixel, first + smaller(end, all) * pixel };
}

/* Prefetches part `at` of `shares` into the second-level cache. */
static void prefetch(span bytes, size_t at, size_t shares)
{
    const size_t lines = (size_t)(bytes.end - bytes.begin) / LINE_BYTES;
    for (size_t i = lines * at / shares; i < lines * (at + 1) / shares; i++)
        __builtin_prefetch(bytes.begin + i * LINE_BYTES, 0, 2);
}

/* The product of value i % 16 of some tiles with panel i / 16. */
static void multiply(const job *j, size_t count, const thaw_winograd_values *windows, size_t i, float *sums)
{
    const size_t depth = j->image.channels, value = i % THAW_WINOGRAD_VALUES;
    const char *left = (const char *)windows->values + value * windows->plane * element_bytes(j->image.bf16);
    const void *kernels = j->kernels + i * j->c->matrix_bytes;
    if (j->image.bf16)
        j->bf16_product(count, depth, (const void *)left, windows->stride, kernels, sums);
    else
        j->product(count, depth, (const void *)left, windows->stride, kernels, sums);
}

/* The products of some tiles and panels. Meanwhile the pixels of the next tiles are prefetched. */
static void run_block(const job *j, range tiles, range panels, range next, char *memory)
{
    const size_t count = tiles.end - tiles.begin;
    const size_t first = panels.begin * THAW_WINOGRAD_VALUES, past = panels.end * THAW_WINOGRAD_VALUES;
    const thaw_winograd_values windows = values_in(memory, j->c->block, j->c->value_stride, j->image.bf16);
    const thaw_winograd_values sums = values_in(memory + j->c->values_bytes, j->c->block, THAW_PANEL_WIDTH, false);
    const span ahead = pixels_of(j, next);
    j->functions->windows(&j->image, tiles.begin, count, &windows);
    for (size_t i = first; i < past; i++) {
        const size_t value = i % THAW_WINOGRAD_VALUES;
        prefetch(ahead, i - first, past - first);
        multiply(j, count, &windows, i, (float *)sums.values + value * sums.plane);
        if (value + 1 == THAW_WINOGRAD_VALUES)
            j->functions->tiles(&j->map, tiles.begin, count, i / THAW_WINOGRAD_VALUES * THAW_PANEL_WIDTH, &sums);
    }
}

static void run_share(void *argument, int thread, int threads)
{
    const job *j = argument;
    const convolution *c = j->c;
    const size_t member = (size_t)thread, shares = panel_shares(c, (size_t)threads),
                 tile_shares = (size_t)threads / shares;
    const range panels = share_of((range){ 0, c->panels }, 1, member % shares, shares);
    const range tiles = share_of((range){ 0, c->tiles }, GRAIN, member / shares, tile_shares);
    const size_t blocks = (tiles.end - tiles.begin + c->block - 1) / c->block;
    char *memory = j->scratch + c->zeros_bytes + member * (c->values_bytes + c->sums_bytes);
    for (size_t b = 0; b < blocks; b++) {
        const range next = b + 1 < blocks ? share_of(tiles, GRAIN, b + 1, blocks) : (range){ 0 };
        run_block(j, share_of(tiles, GRAIN, b, blocks), panels, next, memory);
    }
}

static void run(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    const convolution *c = problem;
    job j = {
        .c = c,
        .image = c->image,
        .map = c->map,
        .kernels = arguments[THAW_ARGUMENT_WEIGHTS],
        .scratch = scratch,
        .functions = THAW_FOR_LEVEL_BF16(context->level, &thaw_winograd_loops),
        .product = THAW_FOR_LEVEL(context->level, thaw_panel_product),
        .bf16_product = THAW_FOR_LEVEL_BF16(context->level, thaw_panel_product_bfloat16),
    };
    j.image.pixels = arguments[c->source];
    j.image.zeros = memset(scratch, 0, c->zeros_bytes);
    j.map.pixels = arguments[c->destination];
    j.map.bias = c->bias ? arguments[THAW_ARGUMENT_BIAS] : NULL;
    if (c->residual != THAW_RESIDUAL_NONE)
        j.map.residual = arguments[c->residual == THAW_RESIDUAL_BESIDE ? THAW_ARGUMENT_RESIDUAL : c->destination];
    thaw_parallel(context, run_share, &j);
}

/* ---- making ---- */

static size_t count_tiles(int64_t batch, const int64_t map[2])
{
    return (size_t)batch * (round_up((size_t)map[0], TILE) / TILE) * (round_up((size_t)map[1], TILE) / TILE);
}

/* A convolution that reads `image` of `depth` channels, with `before` pixels of padding, and makes `map` of
   `filters` channels. */
static convolution between(int64_t batch, const int64_t image[2], int64_t depth, const int64_t before[2],
                           const int64_t map[2], int64_t filters, thaw_dtype precision)
{
    const bool bf16 = precision == THAW_BF16;
    convolution c = {
        .image.channels = (size_t)depth,
        .image.bf16 = bf16,
        .map.channels = (size_t)filters,
        .map.bf16 = bf16,
        .tiles = count_tiles(batch, map),
        .panels = thaw_winograd_panels((size_t)filters),
        .value_stride = round_up((size_t)depth, VECTOR) + VECTOR, /* not a power of two */
    };
    for (int i = 0; i < 2; i++) {
        c.image.size[i] = (size_t)image[i];
        c.image.before[i] = (ptrdiff_t)before[i];
        c.map.size[i] = (size_t)map[i];
        c.image.tiles[i] = c.map.tiles[i] = round_up(c.map.size[i], TILE) / TILE;
    }
    c.block = smaller(BLOCK_TILES, round_up(c.tiles, GRAIN));
    c.zeros_bytes = thaw_align((size_t)depth * element_bytes(bf16));
    c.values_bytes = values_bytes(c.block, c.value_stride, bf16);
    c.sums_bytes = values_bytes(c.block, THAW_PANEL_WIDTH, false);
    return c;
}

/* The kernel and the one that packs for it, or neither. */
static thaw_status create(thaw_context *context, convolution *c, int64_t batch, bool rotated, thaw_kernel **kernel,
                          thaw_kernel **pack)
{
    const thaw_winograd_kernels kernels = { c->image.channels, c->map.channels, rotated, c->image.bf16 };
    const size_t images = (size_t)batch * element_bytes(c->image.bf16);
    thaw_own_kernel own = {
        .name = THAW_WINOGRAD_NAME,
        .scratch_bytes = c->zeros_bytes + (size_t)context->threads * (c->values_bytes + c->sums_bytes),
        .run = run,
    };
    own.bytes[c->source] = images * c->image.size[0] * c->image.size[1] * c->image.channels;
    own.bytes[c->destination] = images * c->map.size[0] * c->map.size[1] * c->map.channels;
    own.bytes[THAW_ARGUMENT_RESIDUAL] = c->residual == THAW_RESIDUAL_BESIDE ? own.bytes[c->destination] : 0;
    own.bytes[THAW_ARGUMENT_BIAS] = c->bias ? c->map.channels * sizeof(float) : 0;
    own.bytes[THAW_ARGUMENT_WEIGHTS] = thaw_winograd_kernels_bytes(&kernels);
    c->matrix_bytes = own.bytes[THAW_ARGUMENT_WEIGHTS] / (c->panels * THAW_WINOGRAD_VALUES);
    *kernel = *pack = NULL;
    thaw_status status = thaw_kernel_create_own(context, &own, c, sizeof *c, kernel);
    if (status == THAW_OK)
        status = thaw_winograd_pack(context, &kernels, pack);
    if (status == THAW_OK)
        return THAW_OK;
    thaw_kernel_release(context, *kernel);
    *kernel = NULL;
    return status;
}

thaw_status thaw_winograd_forward(thaw_context *context, const thaw_convolution *p, thaw_kernel **kernel,
                                  thaw_kernel **pack)
{
    convolution c =
        between(p->batch, p->input, p->input_channels, p->padding_before, p->output, p->output_channels, p->precision);
    c.source = THAW_ARGUMENT_SOURCE;
    c.destination = THAW_ARGUMENT_DESTINATION;
    c.bias = p->bias;
    c.residual = p->after.residual;
    c.map.activation = p->after.activation;
    return create(context, &c, p->batch, false, kernel, pack);
}

/* Runs from the map's gradient back to the image. A rotated kernel has the rest of its reach as padding. */
thaw_status thaw_winograd_backward_data(thaw_context *context, const thaw_convolution *p, thaw_kernel **kernel,
                                        thaw_kernel **pack)
{
    const int64_t before[] = { p->kernel[0] - 1 - p->padding_before[0], p->kernel[1] - 1 - p->padding_before[1] };
    convolution c = between(p->batch, p->output, p->output_channels, before, p->input, p->input_channels, p->precision);
    c.source = THAW_ARGUMENT_DESTINATION_GRADIENT;
    c.destination = THAW_ARGUMENT_SOURCE_GRADIENT;
    return create(context, &c, p->batch, true, kernel, pack);
}
