#include "kernels/winograd_weights_loops.h"

#include <stdint.h>
#include <string.h>

#include "kernels/winograd_points.h"

enum { CACHE_LINE = 64 };

/* The sums that `multiply` keeps in registers: ROWS x 2 vectors. */
#if defined __AVX512F__ || defined __aarch64__
enum { ROWS = 8 };
#else
enum { ROWS = 4 };
#endif

/* ---- tiles and windows ---- */

/* A square of an image. */
typedef struct place {
    const char *image;
    ptrdiff_t top, left;
} place;

INLINE place place_of(const thaw_tiling *g, size_t index)
{
    const size_t image = index / (g->tile_rows * g->tile_columns);
    const size_t row = index / g->tile_columns % g->tile_rows, column = index % g->tile_columns;
    const size_t image_bytes = (size_t)g->rows * (size_t)g->columns * g->channels * bytes_of(1, g->bf16);
    return (place){
        .image = (const char *)g->values + image * image_bytes,
        .top = g->top + (ptrdiff_t)row * THAW_TILE,
        .left = g->left + (ptrdiff_t)column * THAW_TILE,
    };
}

INLINE const char *pixel(const thaw_tiling *g, const place *p, ptrdiff_t row, ptrdiff_t column)
{
    return p->image + (size_t)(row * g->columns + column) * g->channels * bytes_of(1, g->bf16);
}

/* Transforms a square of side x side pixels. After the points of a tile it writes the sum of the tile's values. */
INLINE void transform(const char *from, size_t row_bytes, size_t pixel_bytes, const ptrdiff_t side, const bool bf16,
                      float *into, size_t point_stride)
{
    lanes half[THAW_WINDOW][THAW_WINDOW], total = { 0 };
    for (ptrdiff_t j = 0; j < side; j++) {
        lanes column[THAW_WINDOW], points[THAW_WINDOW];
#pragma GCC unroll 6
        for (ptrdiff_t i = 0; i < side; i++)
            column[i] = load(from + (size_t)i * row_bytes + (size_t)j * pixel_bytes, LANES, bf16);
        if (side == THAW_TILE) {
            transform_tile(points, column);
            total += (column[0] + column[1]) + (column[2] + column[3]);
        } else {
            transform_window(points, column);
        }
#pragma GCC unroll 6
        for (ptrdiff_t i = 0; i < THAW_WINDOW; i++)
            half[i][j] = points[i];
    }
    for (ptrdiff_t i = 0; i < THAW_WINDOW; i++) {
        lanes points[THAW_WINDOW];
        if (side == THAW_TILE)
            transform_tile(points, half[i]);
        else
            transform_window(points, half[i]);
#pragma GCC unroll 6
        for (ptrdiff_t j = 0; j < THAW_WINDOW; j++)
            memcpy(into + (size_t)(i * THAW_WINDOW + j) * point_stride, &points[j], sizeof(lanes));
    }
    if (side == THAW_TILE)
        memcpy(into + THAW_POINTS * point_stride, &total, sizeof total);
}

/* The pixels of a square that may be partly outside the image. Pixels outside are zeros, in any channel. */
typedef struct edge {
    const char *pixels[THAW_WINDOW * THAW_WINDOW];
    size_t inside[THAW_WINDOW * THAW_WINDOW]; /* all bits, or none */
} edge;

static const char zeros[LANES * sizeof(float)];

INLINE void find_edge(const thaw_tiling *g, const place *p, const ptrdiff_t side, edge *e)
{
    for (ptrdiff_t i = 0; i < side * side; i++) {
        const ptrdiff_t row = p->top + i / side, column = p->left + i % side;
        const bool inside = row >= 0 && row < g->rows && column >= 0 && column < g->columns;
        e->pixels[i] = inside ? pixel(g, p, row, column) : zeros;
        e->inside[i] = inside ? SIZE_MAX : 0;
    }
}

/* Transforms `count` channels, and zeros for the others. */
INLINE void transform_edge(const edge *e, size_t offset, size_t count, const ptrdiff_t side, const bool bf16,
                           float *into, size_t point_stride)
{
    lanes square[THAW_WINDOW * THAW_WINDOW];
    for (ptrdiff_t i = 0; i < side * side; i++)
        square[i] = load(e->pixels[i] + (offset & e->inside[i]), count, bf16);
    transform((const char *)square, (size_t)side * sizeof(lanes), sizeof(lanes), side, false, into, point_stride);
}

INLINE ptrdiff_t within(ptrdiff_t value, ptrdiff_t low, ptrdiff_t high)
{
    return value < low ? low : value > high ? high : value;
}

/* The pixels that the next tile, usually beside this one, reads in addition. They are prefetched: otherwise waiting
   for memory takes longer than the arithmetic. */
typedef struct ahead {
    const char *rows[THAW_WINDOW];
    size_t columns[THAW_TILE];
} ahead;

INLINE void find_ahead(const thaw_tiling *g, const place *next, const ptrdiff_t side, ahead *a)
{
    for (ptrdiff_t i = 0; i < side; i++)
        a->rows[i] = pixel(g, next, within(next->top + i, 0, g->rows - 1), 0);
    for (ptrdiff_t j = 0; j < THAW_TILE; j++) {
        const ptrdiff_t column = within(next->left + side - THAW_TILE + j, 0, g->columns - 1);
        a->columns[j] = (size_t)column * g->channels * bytes_of(1, g->bf16);
    }
}

INLINE void fetch_ahead(const ahead *a, size_t offset, const ptrdiff_t side)
{
#pragma GCC unroll 6
    for (ptrdiff_t i = 0; i < side; i++)
#pragma GCC unroll 4
        for (ptrdiff_t j = 0; j < THAW_TILE; j++)
            __builtin_prefetch(a->rows[i] + a->columns[j] + offset);
}

/* Transforms all channels of one tile. */
INLINE void transform_place(const thaw_tiling *g, const place *here, const ahead *next, const thaw_tile_panels *into,
                            const ptrdiff_t side, const bool bf16)
{
    const size_t pixel_bytes = g->channels * bytes_of(1, bf16), row_bytes = (size_t)g->columns * pixel_bytes;
    const size_t whole = g->channels / LANES * LANES,
                 end = (g->channels + THAW_TILE_PANEL - 1) / THAW_TILE_PANEL * THAW_TILE_PANEL;
    const bool inside =
        here->top >= 0 && here->left >= 0 && here->top + side <= g->rows && here->left + side <= g->columns;
    const char *from = inside ? pixel(g, here, here->top, here->left) : NULL;
    edge e;
    if (!inside || whole < end)
        find_edge(g, here, side, &e);
    for (size_t channel = 0; channel < end; channel += LANES) {
        const size_t offset = channel * bytes_of(1, bf16);
        float *values = into->values + channel / THAW_TILE_PANEL * into->panel_stride + channel % THAW_TILE_PANEL;
        if (offset % CACHE_LINE == 0 && channel < g->channels)
            fetch_ahead(next, offset, side);
        if (channel >= whole)
            transform_edge(&e, offset, channel < g->channels ? g->channels - channel : 0, side, bf16, values,
                           into->point_stride);
        else if (inside)
            transform(from + offset, row_bytes, pixel_bytes, side, bf16, values, into->point_stride);
        else
            transform_edge(&e, offset, LANES, side, bf16, values, into->point_stride);
    }
}

INLINE void transform_all(const thaw_tiling *g, size_t first, size_t count, const thaw_tile_panels *into,
                          const ptrdiff_t side, const bool bf16)
{
    thaw_tile_panels tile = *into;
    for (size_t i = 0; i < count; i++) {
        const place here = place_of(g, first + i), next = i + 1 < count ? place_of(g, first + i + 1) : here;
        ahead a;
        find_ahead(g, &next, side, &a);
        transform_place(g, &here, &a, &tile, side, bf16);
        tile.values += THAW_TILE_PANEL;
    }
}

static void transform_windows(const thaw_tiling *tiling, size_t first, size_t count, const thaw_tile_panels *into)
{
    if (tiling->bf16)
        transform_all(tiling, first, count, into, THAW_WINDOW, true);
    else
        transform_all(tiling, first, count, into, THAW_WINDOW, false);
}

static void transform_tiles(const thaw_tiling *tiling, size_t first, size_t count, const thaw_tile_panels *into)
{
    if (tiling->bf16)
        transform_all(tiling, first, count, into, THAW_TILE, true);
    else
        transform_all(tiling, first, count, into, THAW_TILE, false);
}

/* ---- sums of products, and the weights' gradient ---- */

INLINE void multiply_rows(size_t count, const float *restrict tiles, const float *restrict windows,
                          float *restrict sums, const bool add)
{
    lanes rows[ROWS][2];
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS; r++) {
        rows[r][0] = rows[r][1] = (lanes){ 0 };
        __builtin_prefetch(sums + r * THAW_TILE_PANEL, 1); /* wanted only at the end */
        __builtin_prefetch(sums + r * THAW_TILE_PANEL + LANES, 1);
    }
    for (size_t i = 0; i < count; i++) {
        const lanes *right = (const void *)(windows + i * THAW_TILE_PANEL);
        const lanes first = right[0], second = right[1];
#pragma GCC unroll 8
        for (size_t r = 0; r < ROWS; r++) {
            rows[r][0] += tiles[i * THAW_TILE_PANEL + r] * first;
            rows[r][1] += tiles[i * THAW_TILE_PANEL + r] * second;
        }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < ROWS; r++) {
        lanes *into = (void *)(sums + r * THAW_TILE_PANEL);
        into[0] = add ? into[0] + rows[r][0] : rows[r][0];
        into[1] = add ? into[1] + rows[r][1] : rows[r][1];
    }
}

static void multiply(size_t count, size_t filters, const float *tiles, const float *windows, float *sums, bool add)
{
    for (size_t c = 0; c < THAW_TILE_PANEL; c += 2 * LANES)
        for (size_t k = 0; k < filters; k += ROWS)
            if (add)
                multiply_rows(count, tiles + k, windows + c, sums + k * THAW_TILE_PANEL + c, true);
            else
                multiply_rows(count, tiles + k, windows + c, sums + k * THAW_TILE_PANEL + c, false);
}

static void sum(size_t count, const float *tiles, float *sums)
{
    for (size_t k = 0; k < THAW_TILE_PANEL; k += LANES) {
        lanes total = { 0 };
        for (size_t i = 0; i < count; i++)
            total += load(tiles + i * THAW_TILE_PANEL + k, LANES, false);
        memcpy(sums + k, &total, sizeof total);
    }
}

/* The weights of one filter and LANES channels. */
INLINE void transform_to_weights(const float *sums, lanes weights[9])
{
    lanes half[3][THAW_WINDOW];
    for (size_t j = 0; j < THAW_WINDOW; j++) {
        lanes column[THAW_WINDOW], three[3];
#pragma GCC unroll 6
        for (size_t i = 0; i < THAW_WINDOW; i++)
            memcpy(&column[i], sums + (i * THAW_WINDOW + j) * THAW_SUMS, sizeof(lanes));
        transform_sums(three, column);
        for (size_t i = 0; i < 3; i++)
            half[i][j] = three[i];
    }
    for (size_t i = 0; i < 3; i++)
        transform_sums(weights + 3 * i, half[i]);
}

static void finish(const float *sums, size_t filters, size_t channels, float *weights, size_t stride)
{
    for (size_t k = 0; k < filters; k++)
        for (size_t c = 0; c < channels; c += LANES) {
            lanes nine[9];
            transform_to_weights(sums + k * THAW_TILE_PANEL + c, nine);
            const size_t left = channels - c, count = left < LANES ? left : LANES;
            float *out = weights + k * stride + c * 9;
            for (size_t lane = 0; lane < count; lane++)
                for (size_t i = 0; i < 9; i++)
                    out[lane * 9 + i] = nine[i][lane];
        }
}

const thaw_winograd_weights_functions thaw_winograd_weights_loops = {
    .windows = transform_windows,
    .tiles = transform_tiles,
    .multiply = multiply,
    .sum = sum,
    .finish = finish,
};
