/* Shampoo: gradients between inverse roots of the sums of their outer products, L^(-1/4) G R^(-1/4), for matrices.
   Gupta, Koren & Singer 2018, arXiv 1802.09568. Names, defaults and order of operations are those of Distributed
   Shampoo (Shi et al. 2023, arXiv 2309.06497) without grafting, as is its default, with roots from eigenvectors; but roots are
   also found in the first step, not only after precondition_frequency steps. A convolution's weight is a matrix of one
   row an output. A side longer than max_preconditioner_dim has no preconditioner, where the reference cuts it into
   blocks; the other side's root is then -1/2. Other parameters, and tables of embeddings, are AdamW's.
   max_preconditioner_dim should not change while a parameter trains. */
#include <math.h>
#include <string.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, EPSILON, MOMENTUM, WEIGHT_DECAY, MAX_DIM, FREQUENCY, NESTEROV, CORRECT, DECOUPLED };
enum { FILTERED, BUFFER, LEFT_FACTOR, LEFT_INVERSE, RIGHT_FACTOR, RIGHT_INVERSE };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-2, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, BELOW_ONE },
    [BETA2] = { "beta2", 1, 0, 1 },
    [EPSILON] = { "epsilon", 1e-12, 0, INFINITY },
    [MOMENTUM] = { "momentum", 0, 0, BELOW_ONE },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [MAX_DIM] = { "max_preconditioner_dim", 1024, 0, 1e6 },
    [FREQUENCY] = { "precondition_frequency", 1, 1, 1e9 },
    [NESTEROV] = { "use_nesterov", 0, 0, 1 },
    [CORRECT] = { "use_bias_correction", 1, 0, 1 },
    [DECOUPLED] = { "use_decoupled_weight_decay", 1, 0, 1 },
    { "adamw_lr", 1e-3, 0, INFINITY },
    { "adamw_beta1", 0.9, 0, BELOW_ONE },
    { "adamw_beta2", 0.999, 0, BELOW_ONE },
    { "adamw_eps", 1e-8, 0, INFINITY },
    { "adamw_weight_decay", 1e-2, 0, INFINITY },
};

static const char *check(const double *h)
{
    if (h[FREQUENCY] != floor(h[FREQUENCY]))
        return "precondition_frequency must be whole";
    if (h[NESTEROV] != 0 && h[NESTEROV] != 1)
        return "use_nesterov must be 0 or 1";
    if (h[CORRECT] != 0 && h[CORRECT] != 1)
        return "use_bias_correction must be 0 or 1";
    return h[DECOUPLED] == 0 || h[DECOUPLED] == 1 ? NULL : "use_decoupled_weight_decay must be 0 or 1";
}

static bool uses_slot(const double *h, size_t slot)
{
    return !(slot == FILTERED && h[BETA1] == 0) && !(slot == BUFFER && h[MOMENTUM] == 0);
}

static bool has_slot(const double *h, size_t slot, size_t rows, size_t columns)
{
    if (slot == FILTERED || slot == BUFFER)
        return true;
    return (double)(slot == LEFT_FACTOR || slot == LEFT_INVERSE ? rows : columns) <= h[MAX_DIM];
}

static size_t longest_side(const double *h, size_t rows, size_t columns)
{
    const size_t left = (double)rows <= h[MAX_DIM] ? rows : 0, right = (double)columns <= h[MAX_DIM] ? columns : 0;
    return left > right ? left : right;
}

/* Two matrices of the parameter's size; two squares of a side, and its eigenvalues. */
static size_t scratch(const double *h, size_t rows, size_t columns)
{
    const size_t side = longest_side(h, rows, columns);
    return 2 * (rows * columns + side * side) + side;
}

/* Of a side: half of the outer products, the product with the root; the eigenvectors, and half of the root. */
static double flops(const double *h, size_t rows, size_t columns)
{
    const double count = (double)rows * (double)columns, sides[] = { (double)rows, (double)columns };
    double sum = 0;
    for (size_t i = 0; i < 2; i++)
        sum += sides[i] <= h[MAX_DIM] ? 3 * sides[i] * count + 11 * pow(sides[i], 3) / h[FREQUENCY] : 0;
    return sum;
}

/* One side of the parameter. */
typedef struct preconditioner {
    bool left;
    size_t side;
    float *factor, *inverse; /* NULL: it has none */
    uint64_t step;
} preconditioner;

static preconditioner preconditioner_of(const thaw_matrix_update *m, bool left)
{
    return (preconditioner){ .left = left,
                             .side = left ? m->rows : m->columns,
                             .factor = m->slot[left ? LEFT_FACTOR : RIGHT_FACTOR],
                             .inverse = m->slot[left ? LEFT_INVERSE : RIGHT_INVERSE],
                             .step = m->slot_step[left ? LEFT_FACTOR : RIGHT_FACTOR] };
}

static void follow_factor(const thaw_matrix_update *m, const preconditioner *p, const float *gradient)
{
    const double beta = m->hyperparameter[BETA2];
    thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = p->side,
                                                    .columns = p->side,
                                                    .depth = p->left ? m->columns : m->rows,
                                                    .left = gradient,
                                                    .left_transposed = !p->left,
                                                    .right = gradient,
                                                    .right_transposed = p->left,
                                                    .symmetric = true,
                                                    .factor = (float)(beta < 1 ? 1 - beta : 1),
                                                    .addend = p->factor,
                                                    .addend_factor = (float)beta,
                                                    .result = p->factor });
}

static double correction(const thaw_matrix_update *m, double beta, uint64_t step)
{
    return m->hyperparameter[CORRECT] != 0 && beta < 1 ? 1 - pow(beta, (double)step) : 1;
}

/* inverse = (factor / correction + epsilon)^(-1 / root), as W^T W of eigenvectors times the square root of their
   values. Values that rounding makes negative raise all others. */
static void find_inverse(const thaw_matrix_update *m, const preconditioner *p, double root)
{
    const size_t side = p->side;
    float *copy = m->scratch + 2 * m->rows * m->columns, *vectors = copy + side * side, *values = vectors + side * side;
    const thaw_part squared = thaw_matrix_part(m, side * side), own = thaw_matrix_part(m, side);
    memcpy(copy + squared.first, p->factor + squared.first, (squared.past - squared.first) * sizeof(float));
    thaw_matrix_eigen(m, side, copy, values, vectors);
    const double corrected = correction(m, m->hyperparameter[BETA2], p->step);
    const double least = fmin((double)values[side - 1] / corrected, 0), raised = m->hyperparameter[EPSILON] - least;
    for (size_t i = own.first; i < own.past; i++) {
        const float scale = (float)pow((double)values[i] / corrected + raised, -0.5 / root);
        for (size_t j = 0; j < side; j++)
            vectors[i * side + j] *= scale;
    }
    thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = side,
                                                    .columns = side,
                                                    .depth = side,
                                                    .left = vectors,
                                                    .left_transposed = true,
                                                    .right = vectors,
                                                    .symmetric = true,
                                                    .factor = 1,
                                                    .result = p->inverse });
}

/* The gradient, or in the other matrix that with decay: then what the preconditioners see, too. */
static const float *decayed(const thaw_matrix_update *m, float *other)
{
    const double *h = m->hyperparameter;
    if (h[DECOUPLED] != 0 || h[WEIGHT_DECAY] == 0)
        return m->gradient;
    const float decay = (float)h[WEIGHT_DECAY];
    const thaw_part own = thaw_matrix_part(m, m->rows * m->columns);
    for (size_t i = own.first; i < own.past; i++)
        other[i] = m->gradient[i] + decay * m->parameter[i];
    return other;
}

static void filter(const thaw_matrix_update *m, const float *gradient, float *filtered)
{
    const double beta = m->hyperparameter[BETA1];
    const float fresh = (float)(1 - beta), factor = (float)(1 / correction(m, beta, m->step));
    const thaw_part own = thaw_matrix_part(m, m->rows * m->columns);
    float *mean = m->slot[FILTERED];
    for (size_t i = own.first; i < own.past; i++) {
        if (mean)
            mean[i] += fresh * (gradient[i] - mean[i]);
        filtered[i] = mean ? factor * mean[i] : gradient[i];
    }
}

/* to = inverse * from, or from * inverse. */
static void apply(const thaw_matrix_update *m, const preconditioner *p, const float *from, float *to)
{
    thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = m->rows,
                                                    .columns = m->columns,
                                                    .depth = p->side,
                                                    .left = p->left ? p->inverse : from,
                                                    .right = p->left ? from : p->inverse,
                                                    .factor = 1,
                                                    .result = to });
}

static void descend(const thaw_matrix_update *m, const float *direction)
{
    const double *h = m->hyperparameter;
    const float lr = (float)h[LR], momentum = (float)h[MOMENTUM];
    const float decay = h[DECOUPLED] != 0 ? (float)h[WEIGHT_DECAY] : 0;
    const bool nesterov = h[NESTEROV] != 0;
    const thaw_part own = thaw_matrix_part(m, m->rows * m->columns);
    float *p = m->parameter, *buffer = m->slot[BUFFER];
    for (size_t i = own.first; i < own.past; i++) {
        float step = direction[i] + decay * p[i];
        if (buffer) {
            buffer[i] = momentum * buffer[i] + step;
            step = nesterov ? step + momentum * buffer[i] : buffer[i];
        }
        p[i] -= lr * step;
    }
}

static void matrix(const thaw_matrix_update *m)
{
    const preconditioner sides[] = { preconditioner_of(m, true), preconditioner_of(m, false) };
    const double root = sides[0].factor && sides[1].factor ? 4 : 2;
    float *direction = m->scratch, *other = direction + m->rows * m->columns;
    const float *gradient = decayed(m, other);
    for (size_t i = 0; i < 2; i++) {
        const bool due = sides[i].step == 1 || fmod((double)m->step, m->hyperparameter[FREQUENCY]) == 0;
        if (sides[i].factor)
            follow_factor(m, &sides[i], gradient);
        if (sides[i].factor && due)
            find_inverse(m, &sides[i], root);
    }
    filter(m, gradient, direction);
    thaw_matrix_wait(m);
    for (size_t i = 0; i < 2; i++) {
        if (!sides[i].factor)
            continue;
        apply(m, &sides[i], direction, other);
        float *const before = direction;
        direction = other;
        other = before;
    }
    descend(m, direction);
}

const thaw_optimizer_module thaw_optimizer_shampoo = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "shampoo",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [FILTERED] = "filtered_grad",
                                    [BUFFER] = "momentum",
                                    [LEFT_FACTOR] = "factor_left",
                                    [LEFT_INVERSE] = "inverse_left",
                                    [RIGHT_FACTOR] = "factor_right",
                                    [RIGHT_INVERSE] = "inverse_right" },
    .slot_count = 6,
    .slot_shapes = (const thaw_slot_shape[]){ [LEFT_FACTOR] = THAW_SLOT_ROWS_SQUARED,
                                              [LEFT_INVERSE] = THAW_SLOT_ROWS_SQUARED,
                                              [RIGHT_FACTOR] = THAW_SLOT_COLUMNS_SQUARED,
                                              [RIGHT_INVERSE] = THAW_SLOT_COLUMNS_SQUARED },
    .check = check,
    .suits = thaw_suits_matrix,
    .fallback = "adamw",
    .uses_slot = uses_slot,
    .has_slot = has_slot,
    .scratch = scratch,
    .decomposed_side = longest_side,
    .flops = flops,
    .matrix = matrix,
};
