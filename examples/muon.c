/* Muon, as your own optimizer: momentum whose steps are made nearly orthogonal by a Newton-Schulz iteration. Jordan et
   al. 2024, https://kellerjordan.github.io/posts/muon. It needs whole matrices, so it has `matrix` instead of `update`,
   and leaves what is no matrix to AdamW.

       cc -O3 -shared -fPIC muon.c -o muon.so $(pkg-config --cflags thaw) -lm
       thaw train --optimizer ./muon.so:lr=0.02,adamw_lr=1e-3 ... */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, WEIGHT_DECAY, MOMENTUM, NESTEROV, A, B, C, EPS, STEPS, MATCH };
enum { BUFFER };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-3, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0.1, 0, INFINITY },
    [MOMENTUM] = { "momentum", 0.95, 0, 1 },
    [NESTEROV] = { "nesterov", 1, 0, 1 },
    [A] = { "ns_a", 3.4445, -INFINITY, INFINITY },
    [B] = { "ns_b", -4.775, -INFINITY, INFINITY },
    [C] = { "ns_c", 2.0315, -INFINITY, INFINITY },
    [EPS] = { "eps", 1e-7, 0, INFINITY },
    [STEPS] = { "ns_steps", 5, 0, 99 },
    [MATCH] = { "match_rms_adamw", 0, 0, 1 },
    { "adamw_lr", 1e-3, 0, INFINITY },
    { "adamw_beta1", 0.9, 0, BELOW_ONE },
    { "adamw_beta2", 0.999, 0, BELOW_ONE },
    { "adamw_eps", 1e-8, 0, INFINITY },
    { "adamw_weight_decay", 1e-2, 0, INFINITY },
};

static const char *check(const double *h)
{
    if (h[NESTEROV] != 0 && h[NESTEROV] != 1)
        return "nesterov must be 0 or 1";
    if (h[MATCH] != 0 && h[MATCH] != 1)
        return "match_rms_adamw must be 0 or 1";
    return h[STEPS] == floor(h[STEPS]) ? NULL : "ns_steps must be whole";
}

static size_t shorter_side(size_t rows, size_t columns)
{
    return rows < columns ? rows : columns;
}

/* Two matrices of the parameter's size, and two squares of its shorter side. */
static size_t scratch(const double *h, size_t rows, size_t columns)
{
    (void)h;
    const size_t side = shorter_side(rows, columns);
    return 2 * (rows * columns + side * side);
}

/* Half of a product whose result is symmetric is not computed. */
static double flops(const double *h, size_t rows, size_t columns)
{
    const double side = (double)shorter_side(rows, columns), count = (double)rows * (double)columns;
    return h[STEPS] * (side * count + side * side * side + 2 * side * count);
}

static void follow(const thaw_matrix_update *m, float *restrict direction)
{
    const float momentum = (float)m->hyperparameter[MOMENTUM], fresh = (float)(1 - m->hyperparameter[MOMENTUM]);
    const bool nesterov = m->hyperparameter[NESTEROV] != 0;
    const thaw_part own = thaw_matrix_part(m, m->rows * m->columns);
    const float *restrict g = m->gradient;
    float *restrict buffer = m->slot[BUFFER];
    for (size_t i = own.first; i < own.past; i++) {
        buffer[i] += fresh * (g[i] - buffer[i]);
        direction[i] = nesterov ? g[i] + momentum * (buffer[i] - g[i]) : buffer[i];
    }
}

static void normalize(const thaw_matrix_update *m, float *direction)
{
    const size_t count = m->rows * m->columns;
    const float factor =
        (float)(1 / fmax(sqrt(thaw_matrix_dot(m, count, direction, direction)), m->hyperparameter[EPS]));
    const thaw_part own = thaw_matrix_part(m, count);
    for (size_t i = own.first; i < own.past; i++)
        direction[i] *= factor;
}

/* next = a x + (b G + c G G) x, where G = x x^T; or with G = x^T x from the right, if that is smaller. */
static void iterate(const thaw_matrix_update *m, const float *x, float *gram, float *polynomial, float *next)
{
    const bool tall = m->rows > m->columns;
    const size_t side = shorter_side(m->rows, m->columns);
    const float a = (float)m->hyperparameter[A], b = (float)m->hyperparameter[B], c = (float)m->hyperparameter[C];
    thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = side,
                                                    .columns = side,
                                                    .depth = tall ? m->rows : m->columns,
                                                    .left = x,
                                                    .left_transposed = tall,
                                                    .right = x,
                                                    .right_transposed = !tall,
                                                    .symmetric = true,
                                                    .factor = 1,
                                                    .result = gram });
    thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = side,
                                                    .columns = side,
                                                    .depth = side,
                                                    .left = gram,
                                                    .right = gram,
                                                    .symmetric = true,
                                                    .factor = c,
                                                    .addend = gram,
                                                    .addend_factor = b,
                                                    .result = polynomial });
    thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = m->rows,
                                                    .columns = m->columns,
                                                    .depth = side,
                                                    .left = tall ? x : polynomial,
                                                    .right = tall ? polynomial : x,
                                                    .factor = 1,
                                                    .addend = x,
                                                    .addend_factor = a,
                                                    .result = next });
}

static void descend(const thaw_matrix_update *m, const float *restrict direction)
{
    const double *h = m->hyperparameter, rows = (double)m->rows, columns = (double)m->columns;
    const double adjusted = h[MATCH] != 0 ? 0.2 * sqrt(fmax(rows, columns)) : sqrt(fmax(1, rows / columns));
    const float rate = (float)(h[LR] * adjusted), shrink = (float)(1 - h[LR] * h[WEIGHT_DECAY]);
    const thaw_part own = thaw_matrix_part(m, m->rows * m->columns);
    float *restrict p = m->parameter;
    for (size_t i = own.first; i < own.past; i++)
        p[i] = shrink * p[i] - rate * direction[i];
}

static void matrix(const thaw_matrix_update *m)
{
    const size_t count = m->rows * m->columns, side = shorter_side(m->rows, m->columns);
    float *x = m->scratch, *next = x + count, *gram = next + count, *polynomial = gram + side * side;
    follow(m, x);
    normalize(m, x);
    for (double step = 0; step < m->hyperparameter[STEPS]; step++) {
        iterate(m, x, gram, polynomial, next);
        float *const before = x;
        x = next;
        next = before;
    }
    descend(m, x);
}

/* Thaw looks for this name in a shared object. */
THAW_API extern const thaw_optimizer_module thaw_module;

const thaw_optimizer_module thaw_module = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "muon",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [BUFFER] = "momentum_buffer" },
    .slot_count = 1,
    .check = check,
    .suits = thaw_suits_matrix,
    .fallback = "adamw",
    .scratch = scratch,
    .flops = flops,
    .matrix = matrix,
};
