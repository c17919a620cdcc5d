/* AdEMAMix: AdamW with a second, much slower running mean of the gradients, which counts `alpha` times. Pagliardini,
   Ablin & Grangier 2024, arXiv 2409.03137. With alpha_warmup and beta3_warmup, alpha rises linearly from 0, and beta3
   from beta1 so that its half-life rises linearly, over that many steps. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, BETA3, ALPHA, BETA3_WARMUP, ALPHA_WARMUP, EPS, WEIGHT_DECAY };
enum { RATE = WEIGHT_DECAY + 1, RATE_OF_SLOW, DECAY, FRESH1, FRESH2, FRESH3, CORRECTION2 };
enum { FAST, SLOW, SQUARE };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-3, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, BELOW_ONE },
    [BETA2] = { "beta2", 0.999, 0, BELOW_ONE },
    [BETA3] = { "beta3", 0.9999, 0, BELOW_ONE },
    [ALPHA] = { "alpha", 2, 0, INFINITY },
    [BETA3_WARMUP] = { "beta3_warmup", 0, 0, INFINITY },
    [ALPHA_WARMUP] = { "alpha_warmup", 0, 0, INFINITY },
    [EPS] = { "eps", 1e-8, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
};

/* The steps after which a running mean has forgotten half, less one. */
static double half_life(double beta)
{
    return log(0.5) / log(beta + 1e-8) - 1;
}

static double warm_beta3(const double *h, double steps)
{
    if (steps >= h[BETA3_WARMUP])
        return h[BETA3];
    const double share = steps / h[BETA3_WARMUP];
    return pow(0.5, 1 / ((1 - share) * half_life(h[BETA1]) + share * half_life(h[BETA3]) + 1));
}

static void prepare(const double *h, uint64_t step, double *scalars)
{
    const double steps = (double)step;
    const double alpha = steps < h[ALPHA_WARMUP] ? h[ALPHA] * steps / h[ALPHA_WARMUP] : h[ALPHA];
    scalars[BETA3] = warm_beta3(h, steps);
    scalars[RATE] = h[LR] / (1 - pow(h[BETA1], steps));
    scalars[RATE_OF_SLOW] = h[LR] * alpha;
    scalars[DECAY] = h[LR] * h[WEIGHT_DECAY];
    scalars[FRESH1] = 1 - h[BETA1];
    scalars[FRESH2] = 1 - h[BETA2];
    scalars[FRESH3] = 1 - scalars[BETA3];
    scalars[CORRECTION2] = 1 / sqrt(1 - pow(h[BETA2], steps));
}

static void update(const thaw_update *u)
{
    const float rate = u->scalar[RATE], rate_of_slow = u->scalar[RATE_OF_SLOW], decay = u->scalar[DECAY];
    const float fresh1 = u->scalar[FRESH1], fresh2 = u->scalar[FRESH2], fresh3 = u->scalar[FRESH3];
    const float beta1 = u->scalar[BETA1], beta2 = u->scalar[BETA2], beta3 = u->scalar[BETA3];
    const float correction2 = u->scalar[CORRECTION2], eps = u->scalar[EPS];
    const float *restrict g = u->gradient;
    float *restrict p = u->parameter, *restrict fast = u->slot[FAST], *restrict slow = u->slot[SLOW];
    float *restrict v = u->slot[SQUARE];
    for (size_t i = 0; i < u->count; i++) {
        fast[i] = beta1 * fast[i] + fresh1 * g[i];
        slow[i] = beta3 * slow[i] + fresh3 * g[i];
        v[i] = beta2 * v[i] + fresh2 * g[i] * g[i];
        p[i] -= (rate * fast[i] + rate_of_slow * slow[i]) / (sqrtf(v[i]) * correction2 + eps) + decay * p[i];
    }
}

const thaw_optimizer_module thaw_optimizer_ademamix = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "ademamix",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [FAST] = "exp_avg_fast", [SLOW] = "exp_avg_slow", [SQUARE] = "exp_avg_sq" },
    .slot_count = 3,
    .prepare = prepare,
    .update = update,
};
