/* Adan: Nesterov's momentum from running estimates of the gradient, of its change since the last step, and of the
   square of both together. Xie et al. 2022, arXiv 2208.06677. Weight decay divides the parameter after the step (the
   paper's proximal form), or, with no_prox=1, multiplies it before. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, BETA3, EPS, WEIGHT_DECAY, NO_PROX };
enum { RATE = NO_PROX + 1, RATE_OF_CHANGE, BEFORE, AFTER, FRESH1, FRESH2, FRESH3, CORRECTION3 };
enum { MEAN, CHANGE, SQUARE, PREVIOUS };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-3, 0, INFINITY },        [BETA1] = { "beta1", 0.98, 0, BELOW_ONE },
    [BETA2] = { "beta2", 0.92, 0, BELOW_ONE }, [BETA3] = { "beta3", 0.99, 0, BELOW_ONE },
    [EPS] = { "eps", 1e-8, 0, INFINITY },      [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [NO_PROX] = { "no_prox", 0, 0, 1 },
};

static const char *check(const double *h)
{
    return h[NO_PROX] == 0 || h[NO_PROX] == 1 ? NULL : "no_prox must be 0 or 1";
}

static void prepare(const double *h, uint64_t step, double *scalars)
{
    const double decay = h[LR] * h[WEIGHT_DECAY];
    scalars[RATE] = h[LR] / (1 - pow(h[BETA1], (double)step));
    scalars[RATE_OF_CHANGE] = h[LR] * h[BETA2] / (1 - pow(h[BETA2], (double)step));
    scalars[BEFORE] = h[NO_PROX] != 0 ? 1 - decay : 1;
    scalars[AFTER] = h[NO_PROX] != 0 ? 1 : 1 + decay;
    scalars[FRESH1] = 1 - h[BETA1];
    scalars[FRESH2] = 1 - h[BETA2];
    scalars[FRESH3] = 1 - h[BETA3];
    scalars[CORRECTION3] = 1 / sqrt(1 - pow(h[BETA3], (double)step));
}

/* In the first step, no gradient has changed. */
static void begin(const thaw_update *u, size_t slot)
{
    for (size_t i = 0; i < u->count; i++)
        u->slot[slot][i] = slot == PREVIOUS ? -u->gradient[i] : 0;
}

static void update(const thaw_update *u)
{
    const float rate = u->scalar[RATE], rate_of_change = u->scalar[RATE_OF_CHANGE], eps = u->scalar[EPS];
    const float before = u->scalar[BEFORE], after = u->scalar[AFTER], correction3 = u->scalar[CORRECTION3];
    const float fresh1 = u->scalar[FRESH1], fresh2 = u->scalar[FRESH2], fresh3 = u->scalar[FRESH3];
    const float beta1 = u->scalar[BETA1], beta2 = u->scalar[BETA2], beta3 = u->scalar[BETA3];
    const float *restrict g = u->gradient;
    float *restrict p = u->parameter, *restrict m = u->slot[MEAN], *restrict change = u->slot[CHANGE];
    float *restrict v = u->slot[SQUARE], *restrict previous = u->slot[PREVIOUS];
    for (size_t i = 0; i < u->count; i++) {
        const float changed = previous[i] + g[i], both = g[i] + beta2 * changed;
        m[i] = beta1 * m[i] + fresh1 * g[i];
        change[i] = beta2 * change[i] + fresh2 * changed;
        v[i] = beta3 * v[i] + fresh3 * both * both;
        previous[i] = -g[i];
        const float step = (rate * m[i] + rate_of_change * change[i]) / (sqrtf(v[i]) * correction3 + eps);
        p[i] = (before * p[i] - step) / after;
    }
}

const thaw_optimizer_module thaw_optimizer_adan = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "adan",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots =
        (const char *const[]){
            [MEAN] = "exp_avg", [CHANGE] = "exp_avg_diff", [SQUARE] = "exp_avg_sq", [PREVIOUS] = "neg_pre_grad" },
    .slot_count = 4,
    .check = check,
    .prepare = prepare,
    .begin = begin,
    .update = update,
};
