#include "kernels/winograd_loops.h"

#include <string.h>
#ifdef __AVX512BF16__
#include <immintrin.h>
#endif

#include "kernels/lanes.h"
#include "kernels/panel_product.h"

enum { SIDE = 4, TILE = 2 };

INLINE halves round_lanes(lanes values)
{
#ifdef __AVX512BF16__
    return (halves)_mm512_cvtneps_pbh((__m512)values);
#else
    return __builtin_convertvector(round_upper(values) >> 16, halves);
#endif
}

INLINE void store(void *into, lanes values, size_t count, bool bf16)
{
    if (bf16) {
        const halves upper = round_lanes(values);
        memcpy(into, &upper, bytes_of(count, true));
    } else {
        memcpy(into, &values, bytes_of(count, false));
    }
}

/* ---- windows: d -> Bᵀ d B ---- */

/* Row i of Bᵀ times a column. */
INLINE lanes spread(size_t i, lanes a, lanes b, lanes c, lanes d)
{
    return i == 0 ? a - c : i == 1 ? b + c : i == 2 ? c - b : b - d;
}

INLINE void window_vector(const char *const *pixels, size_t c, size_t count, char *values, size_t plane, bool bf16)
{
    lanes rows[SIDE][SIDE];
#pragma GCC unroll 4
    for (size_t j = 0; j < SIDE; j++) {
        lanes column[SIDE];
#pragma GCC unroll 4
        for (size_t i = 0; i < SIDE; i++)
            column[i] = load(pixels[i * SIDE + j] + bytes_of(c, bf16), count, bf16);
#pragma GCC unroll 4
        for (size_t i = 0; i < SIDE; i++)
            rows[i][j] = spread(i, column[0], column[1], column[2], column[3]);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < SIDE; i++)
#pragma GCC unroll 4
        for (size_t j = 0; j < SIDE; j++)
            store(values + bytes_of((i * SIDE + j) * plane + c, bf16),
                  spread(j, rows[i][0], rows[i][1], rows[i][2], rows[i][3]), LANES, bf16);
}

/* The 16 pixels of a window. */
static void find_pixels(const thaw_winograd_image *image, size_t tile, const char **pixels)
{
    const size_t each = image->tiles[0] * image->tiles[1], in_image = tile % each;
    const size_t pixel = bytes_of(image->channels, image->bf16);
    const char *first = (const char *)image->pixels + tile / each * image->size[0] * image->size[1] * pixel;
    const ptrdiff_t top = (ptrdiff_t)(in_image / image->tiles[1] * TILE) - image->before[0];
    const ptrdiff_t left = (ptrdiff_t)(in_image % image->tiles[1] * TILE) - image->before[1];
    for (ptrdiff_t i = 0; i < SIDE; i++)
        for (ptrdiff_t j = 0; j < SIDE; j++) {
            const size_t row = (size_t)(top + i), column = (size_t)(left + j); /* huge where negative */
            const bool inside = row < image->size[0] && column < image->size[1];
            pixels[i * SIDE + j] = inside ? first + (row * image->size[1] + column) * pixel : image->zeros;
        }
}

INLINE void transform_windows_of(const thaw_winograd_image *image, size_t first, size_t count,
                                 const thaw_winograd_values *into, bool bf16)
{
    const size_t whole = image->channels / LANES * LANES;
    for (size_t t = 0; t < count; t++) {
        const char *pixels[SIDE * SIDE];
        char *values = (char *)into->values + bytes_of(t * into->stride, bf16);
        find_pixels(image, first + t, pixels);
        for (size_t c = 0; c < whole; c += LANES)
            window_vector(pixels, c, LANES, values, into->plane, bf16);
        if (whole < image->channels)
            window_vector(pixels, whole, image->channels - whole, values, into->plane, bf16);
    }
}

static void transform_windows(const thaw_winograd_image *image, size_t first, size_t count,
                              const thaw_winograd_values *into)
{
    if (image->bf16)
        transform_windows_of(image, first, count, into, true);
    else
        transform_windows_of(image, first, count, into, false);
}

/* ---- tiles: m -> Aᵀ m A ---- */

/* Row i of Aᵀ times a column. */
INLINE lanes gather(size_t i, lanes a, lanes b, lanes c, lanes d)
{
    return i == 0 ? a + b + c : b - c - d;
}

/* The pixels of a tile: their places in the map, and whether they are inside it. */
typedef struct place {
    size_t at[TILE][TILE];
    bool inside[TILE][TILE];
} place;

static void find_place(const thaw_winograd_map *map, size_t tile, place *p)
{
    const size_t each = map->tiles[0] * map->tiles[1], in_map = tile % each;
    const size_t top = in_map / map->tiles[1] * TILE, left = in_map % map->tiles[1] * TILE;
    for (size_t i = 0; i < TILE; i++)
        for (size_t j = 0; j < TILE; j++) {
            p->at[i][j] = ((tile / each * map->size[0] + top + i) * map->size[1] + left + j) * map->channels;
            p->inside[i][j] = top + i < map->size[0] && left + j < map->size[1];
        }
}

INLINE void tile_vector(const thaw_winograd_map *map, const place *p, const float *sums, size_t plane, size_t c,
                        size_t count, bool bf16)
{
    lanes rows[TILE][SIDE];
#pragma GCC unroll 4
    for (size_t j = 0; j < SIDE; j++) {
        lanes column[SIDE];
#pragma GCC unroll 4
        for (size_t i = 0; i < SIDE; i++)
            column[i] = load(sums + (i * SIDE + j) * plane, LANES, false);
#pragma GCC unroll 2
        for (size_t i = 0; i < TILE; i++)
            rows[i][j] = gather(i, column[0], column[1], column[2], column[3]);
    }
    const lanes bias = map->bias ? load(map->bias + c, count, false) : all(0);
#pragma GCC unroll 2
    for (size_t i = 0; i < TILE; i++)
#pragma GCC unroll 2
        for (size_t j = 0; j < TILE; j++) {
            if (!p->inside[i][j])
                continue;
            const size_t at = bytes_of(p->at[i][j] + c, bf16);
            lanes z = gather(j, rows[i][0], rows[i][1], rows[i][2], rows[i][3]) + bias;
            if (map->residual)
                z += load((const char *)map->residual + at, count, bf16);
            store((char *)map->pixels + at, activate(map->activation, z), count, bf16);
        }
}

INLINE void transform_tiles_of(const thaw_winograd_map *map, size_t first, size_t count, size_t channel,
                               const thaw_winograd_values *sums, bool bf16)
{
    const size_t left = map->channels - channel, channels = left < THAW_PANEL_WIDTH ? left : THAW_PANEL_WIDTH;
    const size_t whole = channels / LANES * LANES;
    for (size_t t = 0; t < count; t++) {
        const float *from = (const float *)sums->values + t * sums->stride;
        place p;
        find_place(map, first + t, &p);
        for (size_t c = 0; c < whole; c += LANES)
            tile_vector(map, &p, from + c, sums->plane, channel + c, LANES, bf16);
        if (whole < channels)
            tile_vector(map, &p, from + whole, sums->plane, channel + whole, channels - whole, bf16);
    }
}

static void transform_tiles(const thaw_winograd_map *map, size_t first, size_t count, size_t channel,
                            const thaw_winograd_values *sums)
{
    if (map->bf16)
        transform_tiles_of(map, first, count, channel, sums, true);
    else
        transform_tiles_of(map, first, count, channel, sums, false);
}

/* ---- kernels: g -> G g Gᵀ ---- */

enum { TAPS = 3 };

/* Row i of G times a column. */
INLINE lanes widen(size_t i, lanes a, lanes b, lanes c)
{
    return i == 0 ? a : i == 1 ? (a + b + c) * all(0.5F) : i == 2 ? (a - b + c) * all(0.5F) : c;
}

/* Of LANES output channels. */
INLINE void kernel_vector(const float *taps, lanes values[SIDE][SIDE])
{
    lanes rows[SIDE][TAPS];
#pragma GCC unroll 3
    for (size_t j = 0; j < TAPS; j++)
#pragma GCC unroll 4
        for (size_t i = 0; i < SIDE; i++)
            rows[i][j] = widen(i, load(taps + j * THAW_PANEL_WIDTH, LANES, false),
                               load(taps + (TAPS + j) * THAW_PANEL_WIDTH, LANES, false),
                               load(taps + (2 * TAPS + j) * THAW_PANEL_WIDTH, LANES, false));
#pragma GCC unroll 4
    for (size_t i = 0; i < SIDE; i++)
#pragma GCC unroll 4
        for (size_t j = 0; j < SIDE; j++)
            values[i][j] = widen(j, rows[i][0], rows[i][1], rows[i][2]);
}

static void transform_kernels(const float *taps, float *values, size_t plane)
{
    for (size_t u = 0; u < THAW_PANEL_WIDTH; u += LANES) {
        lanes transformed[SIDE][SIDE];
        kernel_vector(taps + u, transformed);
#pragma GCC unroll 16
        for (size_t v = 0; v < THAW_WINOGRAD_VALUES; v++)
            store(values + v * plane + u, transformed[v / SIDE][v % SIDE], LANES, false);
    }
}

static void transform_kernels_bf16(const float *taps, thaw_bfloat16 *values, size_t plane)
{
    for (size_t u = 0; u < THAW_PANEL_WIDTH; u += LANES) {
        lanes first[SIDE][SIDE], second[SIDE][SIDE];
        kernel_vector(taps + u, first);
        kernel_vector(taps + TAPS * TAPS * THAW_PANEL_WIDTH + u, second);
#pragma GCC unroll 16
        for (size_t v = 0; v < THAW_WINOGRAD_VALUES; v++) {
            const words lower = round_upper(first[v / SIDE][v % SIDE]) >> 16;
            const words pair = lower | (round_upper(second[v / SIDE][v % SIDE]) & 0xFFFF0000);
            memcpy(values + v * plane + 2 * u, &pair, sizeof pair);
        }
    }
}

/* The name is one of winograd_loops.h, by the build's -D. */
const thaw_winograd_functions thaw_winograd_loops = {
    .windows = transform_windows,
    .tiles = transform_tiles,
    .kernels = transform_kernels,
    .bf16_kernels = transform_kernels_bf16,
};
