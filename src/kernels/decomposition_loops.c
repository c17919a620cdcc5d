#include "kernels/decomposition_loops.h"

#include "kernels/lanes.h"

INLINE lanes load_lanes(const float *from)
{
    lanes values;
    memcpy(&values, from, sizeof values);
    return values;
}

INLINE void store_lanes(float *to, lanes values)
{
    memcpy(to, &values, sizeof values);
}

INLINE float sum_of(lanes values)
{
    float sum = 0;
    for (size_t k = 0; k < LANES; k++)
        sum += values[k];
    return sum;
}

static float dot(size_t count, const float *left, const float *right)
{
    enum { SUMS = 4 };
    lanes sums[SUMS] = { { 0 } };
    size_t i = 0;
    for (; i + SUMS * LANES <= count; i += SUMS * LANES)
        for (size_t k = 0; k < SUMS; k++)
            sums[k] += load_lanes(left + i + k * LANES) * load_lanes(right + i + k * LANES);
    for (; i + LANES <= count; i += LANES)
        sums[0] += load_lanes(left + i) * load_lanes(right + i);
    float sum = sum_of((sums[0] + sums[1]) + (sums[2] + sums[3]));
    for (; i < count; i++)
        sum += left[i] * right[i];
    return sum;
}

static void reflect(size_t count, float scale, const float *restrict vector, float *restrict row)
{
    const float factor = scale * dot(count, row, vector);
    for (size_t i = 0; i < count; i++)
        row[i] -= factor * vector[i];
}

/* `rows` is a constant at each call. */
INLINE void reduce_rows(const thaw_reduction *r, size_t row, const size_t rows)
{
    enum { SUMS = 2 };
    const float *vector = r->vector, *other = r->other, *next = r->next;
    float *matrix = r->matrix + row * r->side;
    lanes sums[4][SUMS];
    float rest[4] = { 0 };
    for (size_t i = 0; i < rows; i++)
        for (size_t k = 0; k < SUMS; k++)
            sums[i][k] = (lanes){ 0 };
    size_t j = r->first;
    for (; j + SUMS * LANES <= r->side; j += SUMS * LANES)
        for (size_t k = 0; k < SUMS; k++) {
            const size_t at = j + k * LANES;
            const lanes v = load_lanes(vector + at), w = load_lanes(other + at), x = load_lanes(next + at);
            for (size_t i = 0; i < rows; i++) {
                lanes a = load_lanes(matrix + i * r->side + at);
                a -= vector[row + i] * w;
                a -= other[row + i] * v;
                store_lanes(matrix + i * r->side + at, a);
                sums[i][k] += a * x;
            }
        }
    for (; j < r->side; j++)
        for (size_t i = 0; i < rows; i++) {
            float a = matrix[i * r->side + j];
            a -= vector[row + i] * other[j];
            a -= other[row + i] * vector[j];
            matrix[i * r->side + j] = a;
            rest[i] += a * next[j];
        }
    for (size_t i = 0; i < rows; i++)
        r->products[row + i] = sum_of(sums[i][0] + sums[i][1]) + rest[i];
}

static void reduce(const thaw_reduction *reduction, size_t row, size_t rows)
{
    size_t i = 0;
    for (; i + 4 <= rows; i += 4)
        reduce_rows(reduction, row + i, 4);
    for (; i < rows; i++)
        reduce_rows(reduction, row + i, 1);
}

/* The upper of two rows stays in registers for the next pair. */
static void rotate_whole(const thaw_sweep *sweep, float *matrix, size_t side)
{
    enum { VECTORS = THAW_ROTATED_COLUMNS / LANES };
    const float *rotation = sweep->rotations;
    for (size_t part = 0; part < VECTORS; part += VECTORS / 2) {
        lanes carried[VECTORS / 2];
        rotation = sweep->rotations;
        float *row = matrix + part * LANES + sweep->past * side;
        for (size_t v = 0; v < VECTORS / 2; v++)
            carried[v] = load_lanes(row + v * LANES);
        for (size_t i = sweep->past; i > sweep->first; i--, rotation += 2, row -= side) {
            const lanes c = all(rotation[0]), s = all(rotation[1]);
            for (size_t v = 0; v < VECTORS / 2; v++) {
                const lanes upper = load_lanes(row - side + v * LANES);
                store_lanes(row + v * LANES, s * upper + c * carried[v]);
                carried[v] = c * upper - s * carried[v];
            }
        }
        for (size_t v = 0; v < VECTORS / 2; v++)
            store_lanes(row + v * LANES, carried[v]);
    }
}

static void rotate(const thaw_sweep *sweep, float *matrix, size_t side, size_t column, size_t columns)
{
    if (columns == THAW_ROTATED_COLUMNS) {
        rotate_whole(sweep, matrix + column, side);
        return;
    }
    const float *rotation = sweep->rotations;
    for (size_t i = sweep->past; i > sweep->first; i--, rotation += 2) {
        float *restrict row = matrix + i * side + column, *restrict upper = row - side;
        for (size_t j = 0; j < columns; j++) {
            const float low = row[j], high = upper[j];
            row[j] = rotation[1] * high + rotation[0] * low;
            upper[j] = rotation[0] * high - rotation[1] * low;
        }
    }
}

const thaw_decomposition_loops_table thaw_decomposition_loops = {
    .reflect = reflect,
    .reduce = reduce,
    .rotate = rotate,
};
