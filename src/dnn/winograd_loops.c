#include "dnn/winograd_loops.h"

#include <string.h>

#include "core/strip_product.h"

/* A vector by the compiler's extension, which narrower instructions take in pieces. */
enum { LANES = 16, SIDE = 4, TILE = 2 };
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t flags __attribute__((vector_size(LANES * sizeof(int32_t))));

#define INLINE static inline __attribute__((always_inline))

/* Of the last channels there may be fewer than a vector's. */
INLINE lanes load(const float *from, size_t count)
{
    lanes values = { 0 };
    memcpy(&values, from, count * sizeof(float));
    return values;
}

INLINE void store(float *into, lanes values, size_t count)
{
    memcpy(into, &values, count * sizeof(float));
}

/* ---- windows: d -> Bᵀ d B ---- */

/* Row i of Bᵀ times a column. */
INLINE lanes spread(size_t i, lanes a, lanes b, lanes c, lanes d)
{
    return i == 0 ? a - c : i == 1 ? b + c : i == 2 ? c - b : b - d;
}

INLINE void window_vector(const float *const *pixels, size_t c, size_t count, float *values, size_t plane)
{
    lanes rows[SIDE][SIDE];
#pragma GCC unroll 4
    for (size_t j = 0; j < SIDE; j++) {
        lanes column[SIDE];
#pragma GCC unroll 4
        for (size_t i = 0; i < SIDE; i++)
            column[i] = load(pixels[i * SIDE + j] + c, count);
#pragma GCC unroll 4
        for (size_t i = 0; i < SIDE; i++)
            rows[i][j] = spread(i, column[0], column[1], column[2], column[3]);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < SIDE; i++)
#pragma GCC unroll 4
        for (size_t j = 0; j < SIDE; j++)
            store(values + (i * SIDE + j) * plane + c, spread(j, rows[i][0], rows[i][1], rows[i][2], rows[i][3]),
                  LANES);
}

/* The 16 pixels of a window. */
static void find_pixels(const thaw_winograd_image *image, size_t tile, const float **pixels)
{
    const size_t each = image->tiles[0] * image->tiles[1], in_image = tile % each;
    const float *first = image->pixels + tile / each * image->size[0] * image->size[1] * image->channels;
    const ptrdiff_t top = (ptrdiff_t)(in_image / image->tiles[1] * TILE) - image->before[0];
    const ptrdiff_t left = (ptrdiff_t)(in_image % image->tiles[1] * TILE) - image->before[1];
    for (ptrdiff_t i = 0; i < SIDE; i++)
        for (ptrdiff_t j = 0; j < SIDE; j++) {
            const size_t row = (size_t)(top + i), column = (size_t)(left + j); /* huge where negative */
            const bool inside = row < image->size[0] && column < image->size[1];
            pixels[i * SIDE + j] = inside ? first + (row * image->size[1] + column) * image->channels : image->zeros;
        }
}

static void transform_windows(const thaw_winograd_image *image, size_t first, size_t count,
                              const thaw_winograd_values *into)
{
    const size_t whole = image->channels / LANES * LANES;
    for (size_t t = 0; t < count; t++) {
        const float *pixels[SIDE * SIDE];
        float *values = into->values + t * into->stride;
        find_pixels(image, first + t, pixels);
        for (size_t c = 0; c < whole; c += LANES)
            window_vector(pixels, c, LANES, values, into->plane);
        if (whole < image->channels)
            window_vector(pixels, whole, image->channels - whole, values, into->plane);
    }
}

/* ---- tiles: m -> Aᵀ m A ---- */

INLINE lanes all(float value)
{
    return value - (lanes){ 0 };
}

INLINE lanes select(flags which, lanes values, lanes others)
{
    return (lanes)(((flags)values & which) | ((flags)others & ~which));
}

/* NaN stays. */
INLINE lanes activate(thaw_activation activation, lanes z)
{
    if (activation == THAW_ACTIVATION_NONE)
        return z;
    const lanes above = select(z < all(0), all(0), z);
    return activation == THAW_ACTIVATION_RELU6 ? select(above > all(6), all(6), above) : above;
}

/* Row i of Aᵀ times a column. */
INLINE lanes gather(size_t i, lanes a, lanes b, lanes c, lanes d)
{
    return i == 0 ? a + b + c : b - c - d;
}

/* What a tile writes: where its pixels lie in the map, and which of them it has. */
typedef struct place {
    size_t at[TILE][TILE];
    bool inside[TILE][TILE];
} place;

static place find_place(const thaw_winograd_map *map, size_t tile)
{
    const size_t each = map->tiles[0] * map->tiles[1], in_map = tile % each;
    const size_t top = in_map / map->tiles[1] * TILE, left = in_map % map->tiles[1] * TILE;
    place p;
    for (size_t i = 0; i < TILE; i++)
        for (size_t j = 0; j < TILE; j++) {
            p.at[i][j] = ((tile / each * map->size[0] + top + i) * map->size[1] + left + j) * map->channels;
            p.inside[i][j] = top + i < map->size[0] && left + j < map->size[1];
        }
    return p;
}

INLINE void tile_vector(const thaw_winograd_map *map, const place *p, const float *sums, size_t plane, size_t c,
                        size_t count)
{
    lanes rows[TILE][SIDE];
#pragma GCC unroll 4
    for (size_t j = 0; j < SIDE; j++) {
        lanes column[SIDE];
#pragma GCC unroll 4
        for (size_t i = 0; i < SIDE; i++)
            column[i] = load(sums + (i * SIDE + j) * plane, LANES);
#pragma GCC unroll 2
        for (size_t i = 0; i < TILE; i++)
            rows[i][j] = gather(i, column[0], column[1], column[2], column[3]);
    }
    const lanes bias = map->bias ? load(map->bias + c, count) : all(0);
#pragma GCC unroll 2
    for (size_t i = 0; i < TILE; i++)
#pragma GCC unroll 2
        for (size_t j = 0; j < TILE; j++) {
            if (!p->inside[i][j])
                continue;
            const size_t at = p->at[i][j] + c;
            lanes z = gather(j, rows[i][0], rows[i][1], rows[i][2], rows[i][3]) + bias;
            if (map->residual)
                z += load(map->residual + at, count);
            store(map->pixels + at, activate(map->activation, z), count);
        }
}

static void transform_tiles(const thaw_winograd_map *map, size_t first, size_t count, size_t channel,
                            const thaw_winograd_values *sums)
{
    const size_t left = map->channels - channel, channels = left < THAW_STRIP ? left : THAW_STRIP;
    const size_t whole = channels / LANES * LANES;
    for (size_t t = 0; t < count; t++) {
        const float *from = sums->values + t * sums->stride;
        const place p = find_place(map, first + t);
        for (size_t c = 0; c < whole; c += LANES)
            tile_vector(map, &p, from + c, sums->plane, channel + c, LANES);
        if (whole < channels)
            tile_vector(map, &p, from + whole, sums->plane, channel + whole, channels - whole);
    }
}

/* ---- kernels: g -> G g Gᵀ ---- */

enum { TAPS = 3 };

/* Row i of G times a column. */
INLINE lanes widen(size_t i, lanes a, lanes b, lanes c)
{
    return i == 0 ? a : i == 1 ? (a + b + c) * all(0.5F) : i == 2 ? (a - b + c) * all(0.5F) : c;
}

static void transform_kernels(const float *taps, float *values, size_t plane)
{
    for (size_t u = 0; u < THAW_STRIP; u += LANES) {
        lanes rows[SIDE][TAPS];
#pragma GCC unroll 3
        for (size_t j = 0; j < TAPS; j++)
#pragma GCC unroll 4
            for (size_t i = 0; i < SIDE; i++)
                rows[i][j] =
                    widen(i, load(taps + j * THAW_STRIP + u, LANES), load(taps + (TAPS + j) * THAW_STRIP + u, LANES),
                          load(taps + (2 * TAPS + j) * THAW_STRIP + u, LANES));
#pragma GCC unroll 4
        for (size_t i = 0; i < SIDE; i++)
#pragma GCC unroll 4
            for (size_t j = 0; j < SIDE; j++)
                store(values + (i * SIDE + j) * plane + u, widen(j, rows[i][0], rows[i][1], rows[i][2]), LANES);
    }
}

/* The name is one of winograd_loops.h, by the build's -D. */
const thaw_winograd_functions thaw_winograd_loops = {
    .windows = transform_windows,
    .tiles = transform_tiles,
    .kernels = transform_kernels,
};
