/* LAMB: the steps of AdamW, scaled for each parameter to a length of lr times the parameter's norm, for large batches.
   You et al. 2020, arXiv 1904.00962, algorithm 2, with phi(z) = z. The ratio is 1 where either norm is 0. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, EPS, WEIGHT_DECAY, RATE, FRESH1, FRESH2, CORRECTION1, CORRECTION2 };
enum { MEAN, SQUARE };
enum { PARAMETER, STEP }; /* sums of squares */

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-3, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, BELOW_ONE },
    [BETA2] = { "beta2", 0.999, 0, BELOW_ONE },
    [EPS] = { "eps", 1e-6, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 1e-2, 0, INFINITY },
};

static void prepare(const double *h, uint64_t step, double *scalars)
{
    scalars[FRESH1] = 1 - h[BETA1];
    scalars[FRESH2] = 1 - h[BETA2];
    scalars[CORRECTION1] = 1 / (1 - pow(h[BETA1], (double)step));
    scalars[CORRECTION2] = 1 / sqrt(1 - pow(h[BETA2], (double)step));
}

typedef struct factors {
    float correction1, correction2, eps, decay;
} factors;

static factors factors_of(const thaw_update *u)
{
    return (factors){ u->scalar[CORRECTION1], u->scalar[CORRECTION2], u->scalar[EPS], u->scalar[WEIGHT_DECAY] };
}

static inline float step_of(const factors *f, float mean, float square, float parameter)
{
    return f->correction1 * mean / (sqrtf(square) * f->correction2 + f->eps) + f->decay * parameter;
}

static void sums(const thaw_update *u, double *sums)
{
    enum { CHUNK = 512 /* elements that stay in the nearest cache */ };
    const float fresh1 = u->scalar[FRESH1], fresh2 = u->scalar[FRESH2], beta2 = u->scalar[BETA2];
    const factors f = factors_of(u);
    for (size_t first = 0; first < u->count; first += CHUNK) {
        const size_t count = u->count - first < CHUNK ? u->count - first : CHUNK;
        const float *restrict p = u->parameter + first, *restrict g = u->gradient + first;
        float *restrict m = u->slot[MEAN] + first, *restrict v = u->slot[SQUARE] + first;
        float steps[CHUNK];
        for (size_t i = 0; i < count; i++) {
            m[i] += fresh1 * (g[i] - m[i]);
            v[i] = beta2 * v[i] + fresh2 * g[i] * g[i];
            steps[i] = step_of(&f, m[i], v[i], p[i]);
        }
        sums[PARAMETER] += thaw_sum_of_squares(p, count);
        sums[STEP] += thaw_sum_of_squares(steps, count);
    }
}

static void conclude(const thaw_conclusion *c, double *scalars)
{
    const bool adapts = c->own[PARAMETER] > 0 && c->own[STEP] > 0;
    scalars[RATE] = c->hyperparameter[LR] * (adapts ? sqrt(c->own[PARAMETER] / c->own[STEP]) : 1);
}

static void update(const thaw_update *u)
{
    const float rate = u->scalar[RATE];
    const factors f = factors_of(u);
    const float *restrict m = u->slot[MEAN], *restrict v = u->slot[SQUARE];
    float *restrict p = u->parameter;
    for (size_t i = 0; i < u->count; i++)
        p[i] -= rate * step_of(&f, m[i], v[i], p[i]);
}

const thaw_optimizer_module thaw_optimizer_lamb = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "lamb",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [MEAN] = "exp_avg", [SQUARE] = "exp_avg_sq" },
    .slot_count = 2,
    .prepare = prepare,
    .sum_count = 2,
    .sums = sums,
    .conclude = conclude,
    .own_sums = true,
    .update = update,
};
