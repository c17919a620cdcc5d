#include "kernels/row_tiles.h"

#include <string.h>

/* A panel is as wide as a vector, or as two of the baseline's. */
#ifdef __AVX512F__
enum { LANES = 16, PANEL = 16, TILE_ROWS = 12 };
#elif defined __AVX2__
enum { LANES = 8, PANEL = 8, TILE_ROWS = 6 };
#else
enum { LANES = 4, PANEL = 8, TILE_ROWS = 6 };
#endif
enum {
    VECTORS = PANEL / LANES,
    MOST_PANELS = 8,
    MOST_ROWS = 12,
    LINE_BYTES = 64,
    UNROLLED_BELOW = 8, /* vectors of a tile */

    SUMS = THAW_GROUP_COLUMNS,
    GROUP_PANELS = THAW_GROUP_COLUMNS / PANEL
};

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));

#define INLINE static inline __attribute__((always_inline))

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* ---- tiles ---- */

/* A part of some rows, and of panels that are `panel` floats apart. */
typedef struct operands {
    size_t depth;
    const float *left;
    size_t row;
    const float *right;
    size_t panel, coming; /* coming: panels behind these, which the next tiles will read */
} operands;

/* Adds the products of element k of the depth. */
INLINE void add_products(const size_t rows, const size_t panels, operands o, size_t k,
                         vector tile[MOST_ROWS][MOST_PANELS * VECTORS])
{
    vector right[MOST_PANELS * VECTORS];
#pragma GCC unroll 16
    for (size_t v = 0; v < panels * VECTORS; v++)
        memcpy(&right[v], o.right + v / VECTORS * o.panel + k * PANEL + v % VECTORS * LANES, sizeof(vector));
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (size_t v = 0; v < panels * VECTORS; v++)
            tile[r][v] += o.left[r * o.row + k] * right[v];
}

/* sums[r * SUMS + u] = the products of a tile, or += with `add`. Callers pass constants for `rows` and `panels`, so
   that the loops over them unroll. */
INLINE void multiply_tile(const size_t rows, const size_t panels, operands o, float *sums, bool add)
{
    vector tile[MOST_ROWS][MOST_PANELS * VECTORS];
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (size_t v = 0; v < panels * VECTORS; v++)
            tile[r][v] = (vector){ 0 };
    /* Sums of small tiles would wait for each other; large ones would only make more code. */
    if (rows * panels * VECTORS < UNROLLED_BELOW)
#pragma GCC unroll 4
        for (size_t k = 0; k < o.depth; k++)
            add_products(rows, panels, o, k, tile);
    else
#pragma GCC unroll 1
        for (size_t k = 0; k < o.depth; k++)
            add_products(rows, panels, o, k, tile);
#pragma GCC unroll 12
    for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 16
        for (size_t v = 0; v < panels * VECTORS; v++) {
            float *at = sums + r * SUMS + v * LANES;
            vector before = { 0 };
            if (add)
                memcpy(&before, at, sizeof before);
            const vector sum = before + tile[r][v];
            memcpy(at, &sum, sizeof sum);
        }
}

typedef void tile_function(operands o, float *sums, bool add);

#define TILE(rows, panels)                                                    \
    static void multiply_##rows##_##panels(operands o, float *sums, bool add) \
    {                                                                         \
        multiply_tile(rows, panels, o, sums, add);                            \
    }

/* For each number of panels: the numbers of rows whose sums fit into registers beside them. Of those there are 16, and
   32 with AVX-512. */
TILE(1, 1)
TILE(2, 1)
TILE(3, 1)
TILE(4, 1)
TILE(5, 1)
TILE(6, 1)
TILE(1, 2)
TILE(2, 2)
TILE(3, 2)
TILE(1, 4)
#define NARROW_1 multiply_1_1, multiply_2_1, multiply_3_1, multiply_4_1, multiply_5_1, multiply_6_1
#define NARROW_2 multiply_1_2, multiply_2_2, multiply_3_2
#define NARROW_4 multiply_1_4
#if defined __AVX2__ || defined __aarch64__
TILE(7, 1)
TILE(8, 1)
TILE(9, 1)
TILE(10, 1)
TILE(11, 1)
TILE(12, 1)
TILE(4, 2)
TILE(5, 2)
TILE(6, 2)
TILE(2, 4)
TILE(3, 4)
TILE(1, 8)
#define WIDE_1 NARROW_1, multiply_7_1, multiply_8_1, multiply_9_1, multiply_10_1, multiply_11_1, multiply_12_1
#define WIDE_2 NARROW_2, multiply_4_2, multiply_5_2, multiply_6_2
#define WIDE_4 NARROW_4, multiply_2_4, multiply_3_4
#define WIDE_8 multiply_1_8
#endif
#ifdef __AVX512F__
TILE(7, 2)
TILE(8, 2)
TILE(9, 2)
TILE(10, 2)
TILE(11, 2)
TILE(12, 2)
TILE(4, 4)
TILE(5, 4)
TILE(6, 4)
TILE(2, 8)
TILE(3, 8)
#define WIDEST_2 WIDE_2, multiply_7_2, multiply_8_2, multiply_9_2, multiply_10_2, multiply_11_2, multiply_12_2
#define WIDEST_4 WIDE_4, multiply_4_4, multiply_5_4, multiply_6_4
#define WIDEST_8 WIDE_8, multiply_2_8, multiply_3_8
#endif

static tile_function *const tiles[MOST_PANELS + 1][MOST_ROWS + 1] = {
#if defined __AVX512F__
    [1] = { NULL, WIDE_1 }, [2] = { NULL, WIDEST_2 }, [4] = { NULL, WIDEST_4 }, [8] = { NULL, WIDEST_8 }
#elif defined __AVX2__ || defined __aarch64__
    [1] = { NULL, WIDE_1 }, [2] = { NULL, WIDE_2 }, [4] = { NULL, WIDE_4 }, [8] = { NULL, WIDE_8 }
#else
    [1] = { NULL, NARROW_1 }, [2] = { NULL, NARROW_2 }, [4] = { NULL, NARROW_4 }
#endif
};
#if defined __AVX512F__
static const size_t most_rows[MOST_PANELS + 1] = { [1] = 12, [2] = 12, [4] = 6, [8] = 3 };
#elif defined __AVX2__ || defined __aarch64__
static const size_t most_rows[MOST_PANELS + 1] = { [1] = 12, [2] = 6, [4] = 3, [8] = 1 };
#else
static const size_t most_rows[MOST_PANELS + 1] = { [1] = 6, [2] = 3, [4] = 1 };
#endif

/* If there are more tiles than this, each tile also prefetches a part of what the next tiles read into the
   second-level cache. With fewer tiles, waiting for it costs more than it saves. Times as fast with it as without,
   one Zen 3 core: 4608->128, 16 rows (3 tiles) 0.83, 24 rows (4) 0.87, 48 rows (8) 0.97, 128 rows (22) 1.03. */
enum { MOST_TILES_UNFETCHED = 8 };

/* Part `at` of `shares`. */
static void prefetch_panels(const operands *o, size_t panels, size_t at, size_t shares)
{
    const size_t lines = o->depth * PANEL * sizeof(float) / LINE_BYTES;
    for (size_t p = panels; p < panels + o->coming; p++) {
        const char *panel = (const char *)(o->right + p * o->panel);
        for (size_t i = lines * at / shares; i < lines * (at + 1) / shares; i++)
            __builtin_prefetch(panel + i * LINE_BYTES, 0, 2);
    }
}

/* Uses tiles of similar height, so that none has just a row or two. */
static void multiply_rows(size_t rows, size_t panels, const operands *o, float *sums, bool add)
{
    const size_t count = (rows + most_rows[panels] - 1) / most_rows[panels];
    for (size_t i = 0; i < count; i++) {
        const size_t first = rows * i / count, past = rows * (i + 1) / count;
        operands some = *o;
        some.left += first * o->row;
        tiles[panels][past - first](some, sums + first * SUMS, add);
        if (count > MOST_TILES_UNFETCHED)
            prefetch_panels(o, panels, i, count);
    }
}

/* Takes as many panels at a time as fit into registers beside the rows, and two if none do. */
static void multiply_panels(size_t rows, size_t panels, const operands *o, float *sums, bool add)
{
    size_t wide = MOST_PANELS;
    while (wide > 2 && rows > most_rows[wide])
        wide /= 2;
    for (size_t p = 0; p < panels; p += wide) {
        while (wide > panels - p)
            wide /= 2;
        operands some = *o;
        some.right += p * o->panel;
        some.coming = smaller(wide, panels - p - wide);
        multiply_rows(rows, wide, &some, sums + p * PANEL, add);
    }
}

/* ---- a block of rows, a group of panels ---- */

static void finish_row(const thaw_row_product_job *j, size_t row, size_t first, size_t columns, float *restrict sums)
{
    const float *bias = j->bias ? j->bias + first : NULL;
    const float *residual = j->residual ? j->residual + row * j->outputs + first : NULL;
    for (size_t u = 0; bias && u < columns; u++)
        sums[u] += bias[u];
    for (size_t u = 0; residual && u < columns; u++)
        sums[u] += residual[u];
    if (j->activation != THAW_ACTIVATION_NONE)
        for (size_t u = 0; u < columns; u++)
            sums[u] = sums[u] < 0 ? 0 : sums[u];
    if (j->activation == THAW_ACTIVATION_RELU6)
        for (size_t u = 0; u < columns; u++)
            sums[u] = sums[u] > 6 ? 6 : sums[u];
    memcpy(j->destination + row * j->outputs + first, sums, columns * sizeof *sums);
}

static void multiply_block(const thaw_row_product_job *j, thaw_row_range rows, thaw_row_range panels, float *sums)
{
    const size_t count = rows.end - rows.begin, width = panels.end - panels.begin;
    const size_t first = panels.begin * PANEL, columns = smaller(width * PANEL, j->outputs - first);
    const float *from = j->source + rows.begin * j->inputs;
    for (size_t k = 0; k < j->inputs; k += THAW_PART) {
        operands o = {
            .depth = smaller(THAW_PART, j->inputs - k),
            .left = from + k,
            .row = j->inputs,
            .right = j->panels + (panels.begin * j->inputs + k) * PANEL,
            .panel = j->inputs * PANEL,
        };
        multiply_panels(count, width, &o, sums, k > 0);
    }
    for (size_t r = 0; r < count; r++)
        finish_row(j, rows.begin + r, first, columns, sums + r * SUMS);
}

static thaw_row_range piece(thaw_row_range whole, size_t at, size_t pieces)
{
    const size_t count = whole.end - whole.begin;
    return (thaw_row_range){ whole.begin + count * at / pieces, whole.begin + count * (at + 1) / pieces };
}

static size_t count_pieces(thaw_row_range whole, size_t most)
{
    return (whole.end - whole.begin + most - 1) / most;
}

static void multiply(const thaw_row_product_job *job, thaw_row_range rows, thaw_row_range panels, float *sums)
{
    const size_t blocks = count_pieces(rows, THAW_BLOCK_ROWS), groups = count_pieces(panels, GROUP_PANELS);
    for (size_t g = 0; g < groups; g++)
        for (size_t b = 0; b < blocks; b++)
            multiply_block(job, piece(rows, b, blocks), piece(panels, g, groups), sums);
}

/* ---- packing ---- */

static void pack(const float *weight, size_t inputs, size_t outputs, thaw_row_range panels, float *into)
{
    for (size_t p = panels.begin; p < panels.end; p++) {
        const size_t first = p * PANEL, columns = smaller(PANEL, outputs - first);
        const float *from = weight + first * inputs;
        float *panel = into + first * inputs;
        if (columns < PANEL)
            memset(panel, 0, inputs * PANEL * sizeof *panel);
        for (size_t k = 0; k < inputs; k++)
            for (size_t u = 0; u < columns; u++)
                panel[k * PANEL + u] = from[u * inputs + k];
    }
}

const thaw_row_tiles_functions thaw_row_tiles = {
    .panel = PANEL,
    .tile_rows = TILE_ROWS,
    .multiply = multiply,
    .pack = pack,
};
