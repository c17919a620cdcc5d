#include "kernels/matrix_tiles.h"

#include "kernels/panel_tile.h"

/* A strip whose lines are contiguous. */
static void pack_contiguous(const float *from, size_t term, size_t count, size_t width, size_t depth, float *to)
{
    for (size_t k = 0; k < depth; k++) {
        memcpy(to + k * width, from + k * term, count * sizeof(float));
        for (size_t i = count; i < width; i++)
            to[k * width + i] = 0;
    }
}

/* A strip whose terms are contiguous: transposed in blocks that stay in registers. */
static void pack_transposed(const float *from, size_t line, size_t count, size_t width, size_t depth, float *to)
{
    enum { BLOCK = 8 };
    for (size_t k = 0; k < depth; k += BLOCK) {
        const size_t terms = depth - k < BLOCK ? depth - k : BLOCK;
        for (size_t i = 0; i < width; i++)
            for (size_t t = 0; t < terms; t++)
                to[(k + t) * width + i] = i < count ? from[i * line + k + t] : 0;
    }
}

static void pack(const float *from, size_t line, size_t term, size_t count, size_t width, size_t depth, float *to)
{
    if (line == 1)
        pack_contiguous(from, term, count, width, depth, to);
    else
        pack_transposed(from, line, count, width, depth, to);
}

static void store(const thaw_matrix_product *p, bool begins, const float *restrict sums, size_t row, size_t rows,
                  size_t column, size_t columns)
{
    const float factor = p->factor, addend_factor = p->addend_factor;
    for (size_t r = 0; r < rows; r++) {
        const size_t at = (row + r) * p->columns + column;
        const float *from = sums + r * COLUMNS;
        if (!begins)
            for (size_t u = 0; u < columns; u++)
                p->result[at + u] += factor * from[u];
        else if (p->addend)
            for (size_t u = 0; u < columns; u++)
                p->result[at + u] = addend_factor * p->addend[at + u] + factor * from[u];
        else
            for (size_t u = 0; u < columns; u++)
                p->result[at + u] = factor * from[u];
    }
}

static panel_operand left_operand(const thaw_matrix_tile *tile, size_t row)
{
    const thaw_matrix_product *p = tile->product;
    if (p->left_transposed)
        return (panel_operand){ tile->left + row * tile->depth, 1, MOST_ROWS };
    return (panel_operand){ p->left + row * p->depth + tile->first, p->depth, 1 };
}

/* A strip of MOST_ROWS rows, or the last, of fewer. */
INLINE void multiply_strip(size_t rows, size_t depth, panel_operand left, panel_operand right, float *sums)
{
    if (rows == MOST_ROWS) {
        multiply_tile(MOST_ROWS, depth, left, right, sums, COLUMNS);
        return;
    }
    for (size_t r = 0; r < rows; r++) {
        const panel_operand row = { left.values + r * left.row, left.row, left.depth };
        multiply_tile(1, depth, row, right, sums + r * COLUMNS, COLUMNS);
    }
}

static void multiply(const thaw_matrix_tile *tile)
{
    const size_t past_row = tile->row + tile->rows, past_column = tile->column + tile->columns;
    for (size_t column = tile->column; column < past_column; column += COLUMNS) {
        const panel_operand right = { tile->right + column * tile->depth, 0, COLUMNS };
        const size_t columns = past_column - column < COLUMNS ? past_column - column : COLUMNS;
        for (size_t row = tile->row; row < past_row; row += MOST_ROWS) {
            _Alignas(64) float sums[MOST_ROWS * COLUMNS];
            const size_t rows = past_row - row < MOST_ROWS ? past_row - row : MOST_ROWS;
            if (tile->product->symmetric && column > row + rows - 1)
                continue;
            multiply_strip(rows, tile->depth, left_operand(tile, row), right, sums);
            store(tile->product, tile->first == 0, sums, row, rows, column, columns);
        }
    }
}

static void mirror(float *matrix, size_t side, size_t first, size_t past)
{
    enum { BLOCK = 16 };
    for (size_t from = 0; from < past; from += BLOCK)
        for (size_t i = first; i < past; i++)
            for (size_t j = from; j < i && j < from + BLOCK; j++)
                matrix[j * side + i] = matrix[i * side + j];
}

static double dot(size_t count, const float *left, const float *right)
{
    enum { SUMS = 8 };
    const size_t whole = count - count % SUMS;
    double sums[SUMS] = { 0 }, sum = 0;
    for (size_t i = 0; i < whole; i += SUMS)
        for (size_t k = 0; k < SUMS; k++)
            sums[k] += (double)left[i + k] * (double)right[i + k];
    for (size_t i = whole; i < count; i++)
        sum += (double)left[i] * (double)right[i];
    for (size_t k = 0; k < SUMS; k++)
        sum += sums[k];
    return sum;
}

const thaw_matrix_loops_table thaw_matrix_loops = {
    .strip_rows = MOST_ROWS,
    .strip_columns = COLUMNS,
    .pack = pack,
    .multiply = multiply,
    .mirror = mirror,
    .dot = dot,
};
