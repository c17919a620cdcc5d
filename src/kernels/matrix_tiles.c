#include "kernels/matrix_tiles.h"

#include "kernels/panel_tile.h"

/* Four floats, for transposing in registers. */
typedef float quad __attribute__((vector_size(4 * sizeof(float))));

/* to[k * width + i] = from[i * line + k] for i, k < 4. */
INLINE void transpose_quads(const float *from, size_t line, float *to, size_t width)
{
    quad rows[4];
    for (size_t i = 0; i < 4; i++)
        memcpy(&rows[i], from + i * line, sizeof(quad));
    const quad low = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
    const quad high = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
    const quad low2 = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
    const quad high2 = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
    const quad columns[4] = { __builtin_shufflevector(low, low2, 0, 1, 4, 5),
                              __builtin_shufflevector(low, low2, 2, 3, 6, 7),
                              __builtin_shufflevector(high, high2, 0, 1, 4, 5),
                              __builtin_shufflevector(high, high2, 2, 3, 6, 7) };
    for (size_t k = 0; k < 4; k++)
        memcpy(to + k * width, &columns[k], sizeof(quad));
}

/* A strip whose lines are side by side. `width` is a constant at each call. */
INLINE void copy_strip(const float *from, size_t term, const size_t width, size_t depth, float *to)
{
    for (size_t k = 0; k < depth; k++)
        memcpy(to + k * width, from + k * term, width * sizeof(float));
}

/* A whole strip of COLUMNS lines whose terms are side by side. */
static void transpose_strip(const float *from, size_t line, size_t depth, float *to)
{
    const size_t whole = depth - depth % 4;
    for (size_t k = 0; k < whole; k += 4)
        for (size_t i = 0; i < COLUMNS; i += 4)
            transpose_quads(from + i * line + k, line, to + k * COLUMNS + i, COLUMNS);
    for (size_t k = whole; k < depth; k++)
        for (size_t i = 0; i < COLUMNS; i++)
            to[k * COLUMNS + i] = from[i * line + k];
}

static void pack(const float *from, size_t line, size_t term, size_t count, size_t width, size_t depth, float *to)
{
    if (line == 1 && count == COLUMNS)
        copy_strip(from, term, COLUMNS, depth, to);
    else if (line == 1 && count == MOST_ROWS && width == MOST_ROWS)
        copy_strip(from, term, MOST_ROWS, depth, to);
    else if (term == 1 && count == COLUMNS)
        transpose_strip(from, line, depth, to);
    else
        for (size_t k = 0; k < depth; k++)
            for (size_t i = 0; i < width; i++)
                to[k * width + i] = i < count ? from[i * line + k * term] : 0;
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
    for (size_t i = first; i < past; i += 4) {
        const size_t whole = past - i < 4 ? 0 : i; /* in blocks left of the one on the diagonal */
        for (size_t j = 0; j + 4 <= whole; j += 4)
            transpose_quads(matrix + i * side + j, side, matrix + j * side + i, side);
        for (size_t row = i; row < past && row < i + 4; row++)
            for (size_t j = whole - whole % 4; j < row; j++)
                matrix[j * side + row] = matrix[row * side + j];
    }
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
