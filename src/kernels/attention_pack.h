/* Copies of rows for the products of attention: in panels, whose rows lie side by side, or padded. */
#ifndef THAW_KERNELS_ATTENTION_PACK_H
#define THAW_KERNELS_ATTENTION_PACK_H

#include "kernels/attention_tile.h"
#include "kernels/lane_functions.h"

/* Some rows of one head. */
typedef struct head_rows {
    void *values;
    size_t stride, width;
    bool bf16;
} head_rows;

INLINE lanes load_part(const void *values, size_t first, size_t count, bool bf16)
{
    const void *at =
        bf16 ? (const void *)((const uint16_t *)values + first) : (const void *)((const float *)values + first);
    return count >= LANES ? load(at, LANES, bf16) : load(at, count, bf16);
}

/* into[r * padded + c] = scale * rows[r][c], and zeros past the last column. */
static void pack_rows(head_rows rows, size_t first, size_t count, float scale, float *restrict into)
{
    const size_t padded = thaw_attention_padded(rows.width);
    for (size_t r = 0; r < count; r++)
        for (size_t c = 0; c < padded; c += LANES) {
            lanes values = { 0 };
            const size_t from = (first + r) * rows.stride + c;
            if (c < rows.width)
                values = rows.bf16 ? load_part(rows.values, from, rows.width - c, true)
                                   : load_part(rows.values, from, rows.width - c, false);
            values *= scale;
            memcpy(into + r * padded + c, &values, sizeof values);
        }
}

/* Four elements of four rows: element k of row r to into[k * width + r]. */
INLINE void transpose_quads(const float *from, size_t stride, float scale, float *into, size_t width)
{
    quad row[4];
#pragma GCC unroll 4
    for (size_t r = 0; r < 4; r++) {
        memcpy(&row[r], from + r * stride, sizeof(quad));
        row[r] *= scale;
    }
    const quad low = MERGED(row[0], row[1], 0, 4, 1, 5), other_low = MERGED(row[2], row[3], 0, 4, 1, 5);
    const quad high = MERGED(row[0], row[1], 2, 6, 3, 7), other_high = MERGED(row[2], row[3], 2, 6, 3, 7);
    const quad columns[4] = { MERGED(low, other_low, 0, 1, 4, 5), MERGED(low, other_low, 2, 3, 6, 7),
                              MERGED(high, other_high, 0, 1, 4, 5), MERGED(high, other_high, 2, 3, 6, 7) };
#pragma GCC unroll 4
    for (size_t k = 0; k < 4; k++)
        memcpy(into + k * width, &columns[k], sizeof(quad));
}

INLINE void transpose_rest(const float *from, size_t stride, size_t rows, size_t first, size_t depth, float scale,
                           float *into, size_t width)
{
    for (size_t k = first; k < depth; k++)
        for (size_t r = 0; r < rows; r++)
            into[k * width + r] = scale * from[r * stride + k];
}

/* into[k * width + r] = scale * row r's element k, and zeros past the last row. */
INLINE void transpose_panel(const float *from, size_t stride, size_t rows, size_t depth, float scale, float *into,
                            const size_t width)
{
    const size_t whole = depth / 4 * 4;
    size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
        for (size_t k = 0; k < whole; k += 4)
            transpose_quads(from + r * stride + k, stride, scale, into + k * width + r, width);
        transpose_rest(from + r * stride, stride, 4, whole, depth, scale, into + r, width);
    }
    transpose_rest(from + r * stride, stride, rows - r, 0, depth, scale, into + r, width);
    for (size_t k = 0; k < depth && rows < width; k++)
        memset(into + k * width + rows, 0, (width - rows) * sizeof *into);
}

/* Packs rows into panels of `width` rows, [panel][element][width]. `floats` has room for the rows of a panel. */
INLINE void pack_panels(head_rows rows, size_t first, size_t count, float scale, float *restrict into,
                        const size_t width, float *restrict floats)
{
    for (size_t r = 0; r < count; r += width) {
        const size_t some = count - r < width ? count - r : width;
        const float *from = rows.bf16 ? floats : (const float *)rows.values + (first + r) * rows.stride;
        if (rows.bf16)
            pack_rows(rows, first + r, some, 1, floats);
        transpose_panel(from, rows.bf16 ? thaw_attention_padded(rows.width) : rows.stride, some, rows.width, scale,
                        into + r * rows.width, width);
    }
}

/* As the right side of a product. */
static void pack_right(head_rows rows, size_t first, size_t count, float *restrict into, float *restrict floats)
{
    pack_panels(rows, first, count, 1, into, COLUMNS, floats);
}

/* As the left side. */
static void pack_left(head_rows rows, size_t first, size_t count, float scale, float *restrict into,
                      float *restrict floats)
{
    pack_panels(rows, first, count, scale, into, MOST_ROWS, floats);
}

#endif
