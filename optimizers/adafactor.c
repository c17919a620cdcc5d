/* Adafactor: steps scaled by a second moment that is kept as the means of its rows and columns, and limited by the size
   of the parameter. Shazeer & Stern 2018, arXiv 1804.04235, without momentum. Names, defaults and order of operations
   are PyTorch's (torch.optim.Adafactor), whose eps is (eps1, eps2); but a parameter of more than two dimensions is the
   matrix [outputs, all others] here, where PyTorch factors its last two. A parameter of one dimension keeps its whole
   second moment, in col_var. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA2_DECAY, EPS1, EPS2, D, WEIGHT_DECAY };
enum { ROWS, COLUMNS };

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-2, 0, INFINITY },
    [BETA2_DECAY] = { "beta2_decay", -0.8, -INFINITY, 0 },
    [EPS1] = { "eps1", 0x1p-23, 0, INFINITY },
    [EPS2] = { "eps2", 1e-3, 0, INFINITY },
    [D] = { "d", 1, 1, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
};

/* The step. */
static size_t scratch(const double *h, size_t rows, size_t columns)
{
    (void)h;
    return rows * columns;
}

static double fresh(const thaw_matrix_update *m)
{
    return pow((double)m->step, m->hyperparameter[BETA2_DECAY]);
}

static void follow_rows(const thaw_matrix_update *m)
{
    const thaw_part own = thaw_matrix_part(m, m->rows);
    for (size_t i = own.first; i < own.past; i++) {
        const double mean = thaw_sum_of_squares(m->gradient + i * m->columns, m->columns) / (double)m->columns;
        m->slot[ROWS][i] += (float)(fresh(m) * (mean - (double)m->slot[ROWS][i]));
    }
}

/* Some columns at a time, so that their sums stay in registers. */
static void follow_columns(const thaw_matrix_update *m)
{
    enum { SIDE_BY_SIDE = 16 };
    const thaw_part own = thaw_matrix_part(m, m->columns);
    for (size_t first = own.first; first < own.past; first += SIDE_BY_SIDE) {
        const size_t count = own.past - first < SIDE_BY_SIDE ? own.past - first : SIDE_BY_SIDE;
        double sums[SIDE_BY_SIDE] = { 0 };
        for (size_t i = 0; i < m->rows; i++)
            for (size_t j = 0; j < count; j++) {
                const double g = (double)m->gradient[i * m->columns + first + j];
                sums[j] += g * g;
            }
        for (size_t j = 0; j < count; j++)
            m->slot[COLUMNS][first + j] +=
                (float)(fresh(m) * (sums[j] / (double)m->rows - (double)m->slot[COLUMNS][first + j]));
    }
}

/* The mean of the rows' means, by which the product of the two is divided. */
static double mean_of_rows(const thaw_matrix_update *m)
{
    double sum = 0;
    for (size_t i = 0; i < m->rows; i++)
        sum += (double)m->slot[ROWS][i];
    return fmax(sum / (double)m->rows, m->hyperparameter[EPS1]);
}

static void find_step(const thaw_matrix_update *m, float *step)
{
    const thaw_part own = thaw_matrix_part(m, m->rows * m->columns);
    const float least = (float)(m->hyperparameter[EPS1] * m->hyperparameter[EPS1]);
    const double mean = mean_of_rows(m);
    const float *restrict columns = m->slot[COLUMNS], *restrict g = m->gradient;
    for (size_t i = own.first; i < own.past;) {
        const size_t row = i / m->columns, past = (row + 1) * m->columns < own.past ? (row + 1) * m->columns : own.past;
        const float factor = m->shape->rank > 1 ? (float)((double)m->slot[ROWS][row] / mean) : 1;
        for (; i < past; i++) {
            const float square = factor * columns[i - row * m->columns];
            step[i] = g[i] / sqrtf(square > least ? square : least);
        }
    }
}

static void matrix(const thaw_matrix_update *m)
{
    const double *h = m->hyperparameter, count = (double)m->rows * (double)m->columns;
    const size_t elements = m->rows * m->columns;
    follow_rows(m);
    follow_columns(m);
    thaw_matrix_wait(m);
    find_step(m, m->scratch);
    const double step = sqrt(thaw_matrix_dot(m, elements, m->scratch, m->scratch) / count);
    const double size = sqrt(thaw_matrix_dot(m, elements, m->parameter, m->parameter) / count);
    const double alpha = fmax(h[EPS2], size) * fmin(h[LR], 1 / sqrt((double)m->step));
    const float rate = (float)(alpha / fmax(1, step / h[D])), shrink = (float)(1 - h[LR] * h[WEIGHT_DECAY]);
    const thaw_part own = thaw_matrix_part(m, elements);
    for (size_t i = own.first; i < own.past; i++)
        m->parameter[i] = shrink * m->parameter[i] - rate * m->scratch[i];
}

const thaw_optimizer_module thaw_optimizer_adafactor = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "adafactor",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [ROWS] = "row_var", [COLUMNS] = "col_var" },
    .slot_count = 2,
    .slot_shapes = (const thaw_slot_shape[]){ [ROWS] = THAW_SLOT_ROWS, [COLUMNS] = THAW_SLOT_COLUMNS },
    .scratch = scratch,
    .matrix = matrix,
};
