/* SOAP: Adam in the eigenbasis of Shampoo's preconditioner. Vyas et al. 2024, arXiv 2409.11321. Names, defaults and
   order of operations are the authors' (https://github.com/nikhilvyas/SOAP): the first step only finds the basis, from
   eigenvectors; then the basis follows every `precondition_frequency` steps by orthogonal iteration. A shampoo_beta
   below 0 is beta2. Momentum is kept in the basis. A convolution's weight is a matrix of one row an output, much as the
   authors' merge_dims makes it. A side longer than max_precond_dim is not turned; its default is 2048, not 10000,
   because the products for a convolution's 4608 columns would take longer than its training step. Vectors, and matrices
   with a side of 1, are not turned: they are Adam's. max_precond_dim should not change while a parameter trains. */
#include <math.h>
#include <string.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, SHAMPOO_BETA, EPS, WEIGHT_DECAY, FREQUENCY, MAX_DIM, NORMALIZE, CORRECT };
enum { MEAN, SQUARE, LEFT_GRAM, LEFT_BASIS, RIGHT_GRAM, RIGHT_BASIS };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 3e-3, 0, INFINITY },
    [BETA1] = { "beta1", 0.95, 0, BELOW_ONE },
    [BETA2] = { "beta2", 0.95, 0, BELOW_ONE },
    [SHAMPOO_BETA] = { "shampoo_beta", -1, -1, BELOW_ONE },
    [EPS] = { "eps", 1e-8, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 1e-2, 0, INFINITY },
    [FREQUENCY] = { "precondition_frequency", 10, 1, 1e9 },
    [MAX_DIM] = { "max_precond_dim", 2048, 0, 1e6 },
    [NORMALIZE] = { "normalize_grads", 0, 0, 1 },
    [CORRECT] = { "correct_bias", 1, 0, 1 },
};

static const char *check(const double *h)
{
    if (h[FREQUENCY] != floor(h[FREQUENCY]))
        return "precondition_frequency must be whole";
    if (h[NORMALIZE] != 0 && h[NORMALIZE] != 1)
        return "normalize_grads must be 0 or 1";
    return h[CORRECT] == 0 || h[CORRECT] == 1 ? NULL : "correct_bias must be 0 or 1";
}

/* A vector is a single row here, whose side of one there is nothing to turn. */
static bool turns(const double *h, size_t side, size_t other)
{
    return side > 1 && other > 1 && (double)side <= h[MAX_DIM];
}

static bool has_slot(const double *h, size_t slot, size_t rows, size_t columns)
{
    if (slot == MEAN || slot == SQUARE)
        return true;
    return slot == LEFT_GRAM || slot == LEFT_BASIS ? turns(h, rows, columns) : turns(h, columns, rows);
}

static size_t longest_turned(const double *h, size_t rows, size_t columns)
{
    const size_t left = turns(h, rows, columns) ? rows : 0, right = turns(h, columns, rows) ? columns : 0;
    return left > right ? left : right;
}

/* Two matrices of the parameter's size; two squares of a side that is turned, its values and their order. */
static size_t scratch(const double *h, size_t rows, size_t columns)
{
    const size_t side = longest_turned(h, rows, columns);
    return 2 * (rows * columns + side * side + side);
}

/* Of a side: two turns, and half of the outer products; now and then the basis, and a turn of the momentum. */
static double flops(const double *h, size_t rows, size_t columns)
{
    const double count = (double)rows * (double)columns, sides[] = { (double)rows, (double)columns };
    const bool turned[] = { turns(h, rows, columns), turns(h, columns, rows) };
    double sum = 0;
    for (size_t i = 0; i < 2; i++)
        sum += turned[i] ? 5 * sides[i] * count + (8 * pow(sides[i], 3) + 2 * sides[i] * count) / h[FREQUENCY] : 0;
    return sum;
}

/* One side of the parameter: its eigenvectors are rows. */
typedef struct basis {
    bool left;
    size_t side;
    float *gram, *vectors; /* NULL: not turned */
} basis;

static basis basis_of(const thaw_matrix_update *m, bool left)
{
    return (basis){ .left = left,
                    .side = left ? m->rows : m->columns,
                    .gram = m->slot[left ? LEFT_GRAM : RIGHT_GRAM],
                    .vectors = m->slot[left ? LEFT_BASIS : RIGHT_BASIS] };
}

/* to = turn * from, or from * turn^T for the right side; with `back`, the transpose of `turn`. */
static void turn_side(const thaw_matrix_update *m, bool left, const float *turn, bool back, const float *from,
                      float *to)
{
    thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = m->rows,
                                                    .columns = m->columns,
                                                    .depth = left ? m->rows : m->columns,
                                                    .left = left ? turn : from,
                                                    .left_transposed = left && back,
                                                    .right = left ? from : turn,
                                                    .right_transposed = !left && !back,
                                                    .factor = 1,
                                                    .result = to });
}

/* Turns into the eigenbasis, or back. Returns where the result is: `from`, if no side is turned, or one of the two. */
static const float *turn(const thaw_matrix_update *m, bool back, const float *from, float *one, float *other)
{
    for (int right = 0; right < 2; right++) {
        const basis b = basis_of(m, !right);
        float *to = from == one ? other : one;
        if (b.vectors)
            turn_side(m, b.left, b.vectors, back, from, to);
        from = b.vectors ? to : from;
    }
    return from;
}

static void follow_gram(const thaw_matrix_update *m, const basis *b)
{
    const double *h = m->hyperparameter, beta = h[SHAMPOO_BETA] < 0 ? h[BETA2] : h[SHAMPOO_BETA];
    thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = b->side,
                                                    .columns = b->side,
                                                    .depth = b->left ? m->columns : m->rows,
                                                    .left = m->gradient,
                                                    .left_transposed = !b->left,
                                                    .right = m->gradient,
                                                    .right_transposed = b->left,
                                                    .symmetric = true,
                                                    .factor = (float)(1 - beta),
                                                    .addend = b->gram,
                                                    .addend_factor = (float)beta,
                                                    .result = b->gram });
}

static void copy_part(const thaw_matrix_update *m, size_t count, const float *from, float *to)
{
    const thaw_part own = thaw_matrix_part(m, count);
    memcpy(to + own.first, from + own.first, (own.past - own.first) * sizeof(float));
}

/* Place i gets the i-th largest value. What is nearly sorted is sorted quickly. */
static void sort(size_t count, const float *values, uint32_t *order)
{
    for (size_t i = 0; i < count; i++) {
        size_t place = i;
        for (; place > 0 && values[order[place - 1]] < values[i]; place--)
            order[place] = order[place - 1];
        order[place] = (uint32_t)i;
    }
}

/* The order of the estimated eigenvalues, by which rows of `turned` move into `sorted`. */
static void sort_rows(const thaw_matrix_update *m, const basis *b, const float *turned, float *sorted, float *values,
                      uint32_t *order)
{
    const thaw_part own = thaw_matrix_part(m, b->side);
    for (size_t i = own.first; i < own.past; i++) {
        double sum = 0;
        for (size_t k = 0; k < b->side; k++)
            sum += (double)turned[i * b->side + k] * (double)b->vectors[i * b->side + k];
        values[i] = (float)sum;
    }
    thaw_matrix_wait(m);
    if (m->thread == 0)
        sort(b->side, values, order);
    thaw_matrix_wait(m);
    for (size_t i = own.first; i < own.past; i++)
        memcpy(sorted + i * b->side, turned + order[i] * b->side, b->side * sizeof(float));
}

/* The second moment keeps its place beside its eigenvector. */
static void sort_squares(const thaw_matrix_update *m, const basis *b, const uint32_t *order, float *sorted)
{
    float *squares = m->slot[SQUARE];
    const thaw_part own = thaw_matrix_part(m, m->rows);
    for (size_t i = own.first; i < own.past; i++)
        for (size_t j = 0; j < m->columns; j++)
            sorted[i * m->columns + j] = squares[b->left ? order[i] * m->columns + j : i * m->columns + order[j]];
    thaw_matrix_wait(m);
    copy_part(m, m->rows * m->columns, sorted, squares);
    thaw_matrix_wait(m);
}

/* A step of orthogonal iteration; momentum moves from the old basis into the new one. */
static void follow_basis(const thaw_matrix_update *m, const basis *b)
{
    const size_t count = m->rows * m->columns, squared = b->side * b->side;
    float *whole = m->scratch, *turned = whole + 2 * count, *sorted = turned + squared, *values = sorted + squared;
    uint32_t *order = (uint32_t *)(void *)(values + b->side);
    thaw_matrix_product product = { .rows = b->side,
                                    .columns = b->side,
                                    .depth = b->side,
                                    .left = b->vectors,
                                    .right = b->gram,
                                    .factor = 1,
                                    .result = turned };
    thaw_matrix_multiply(m, &product);
    sort_rows(m, b, turned, sorted, values, order);
    sort_squares(m, b, order, whole);
    thaw_matrix_orthonormalize(m, b->side, sorted, turned);
    product.left = turned;
    product.right = b->vectors;
    product.right_transposed = true;
    product.result = sorted;
    thaw_matrix_multiply(m, &product);
    turn_side(m, b->left, sorted, false, m->slot[MEAN], whole);
    copy_part(m, count, whole, m->slot[MEAN]);
    copy_part(m, squared, turned, b->vectors);
    thaw_matrix_wait(m);
}

static void precondition(const thaw_matrix_update *m)
{
    const bool follows = m->step > 1 && fmod((double)(m->step - 1), m->hyperparameter[FREQUENCY]) == 0;
    for (int right = 0; right < 2; right++) {
        const basis b = basis_of(m, !right);
        if (!b.vectors)
            continue;
        follow_gram(m, &b);
        if (m->slot_step[right ? RIGHT_BASIS : LEFT_BASIS] == 1) {
            copy_part(m, b.side * b.side, b.gram, m->scratch);
            thaw_matrix_eigen(m, b.side, m->scratch, m->scratch + b.side * b.side, b.vectors);
        } else if (follows) {
            follow_basis(m, &b);
        }
    }
}

/* Adam's direction in the basis, over the gradient in it. */
static void find_direction(const thaw_matrix_update *m, const float *g, float *direction)
{
    const double *h = m->hyperparameter;
    const float fresh1 = (float)(1 - h[BETA1]), fresh2 = (float)(1 - h[BETA2]), eps = (float)h[EPS];
    const thaw_part own = thaw_matrix_part(m, m->rows * m->columns);
    float *restrict mean = m->slot[MEAN], *restrict square = m->slot[SQUARE];
    for (size_t i = own.first; i < own.past; i++) {
        const float gradient = g[i];
        mean[i] += fresh1 * (gradient - mean[i]);
        square[i] += fresh2 * (gradient * gradient - square[i]);
        direction[i] = mean[i] / (sqrtf(square[i]) + eps);
    }
}

static double rate(const thaw_matrix_update *m)
{
    const double *h = m->hyperparameter, steps = (double)(m->step - 1);
    return h[CORRECT] != 0 ? h[LR] * sqrt(1 - pow(h[BETA2], steps)) / (1 - pow(h[BETA1], steps)) : h[LR];
}

static void descend(const thaw_matrix_update *m, const float *restrict direction)
{
    const double *h = m->hyperparameter;
    const size_t count = m->rows * m->columns;
    double length = rate(m);
    if (h[NORMALIZE] != 0)
        length /= sqrt(thaw_matrix_dot(m, count, direction, direction) / (double)count) + h[EPS];
    const float by = (float)length, kept = (float)(1 - h[LR] * h[WEIGHT_DECAY]);
    const thaw_part own = thaw_matrix_part(m, count);
    float *restrict p = m->parameter;
    for (size_t i = own.first; i < own.past; i++)
        p[i] = kept * (p[i] - by * direction[i]);
}

static void matrix(const thaw_matrix_update *m)
{
    float *one = m->scratch, *other = one + m->rows * m->columns;
    if (m->step > 1) {
        const float *gradient = turn(m, false, m->gradient, one, other);
        float *direction = gradient == one ? other : one;
        find_direction(m, gradient, direction);
        descend(m, turn(m, true, direction, direction == one ? other : one, direction));
    }
    precondition(m);
}

const thaw_optimizer_module thaw_optimizer_soap = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "soap",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [MEAN] = "exp_avg",
                                    [SQUARE] = "exp_avg_sq",
                                    [LEFT_GRAM] = "GG_left",
                                    [LEFT_BASIS] = "Q_left",
                                    [RIGHT_GRAM] = "GG_right",
                                    [RIGHT_BASIS] = "Q_right" },
    .slot_count = 6,
    .slot_shapes = (const thaw_slot_shape[]){ [LEFT_GRAM] = THAW_SLOT_ROWS_SQUARED,
                                              [LEFT_BASIS] = THAW_SLOT_ROWS_SQUARED,
                                              [RIGHT_GRAM] = THAW_SLOT_COLUMNS_SQUARED,
                                              [RIGHT_BASIS] = THAW_SLOT_COLUMNS_SQUARED },
    .check = check,
    .has_slot = has_slot,
    .scratch = scratch,
    .decomposed_side = longest_turned,
    .flops = flops,
    .matrix = matrix,
};
