/* NAdam: Adam with Nesterov's momentum, whose factor grows with the steps. Dozat 2016, "Incorporating Nesterov momentum
   into Adam"; decoupled_weight_decay: as in AdamW, arXiv 1711.05101. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, EPS, WEIGHT_DECAY, MOMENTUM_DECAY, DECOUPLED };
enum { OF_GRADIENT = DECOUPLED + 1, OF_MEAN, SHRINK, FRESH1, FRESH2, CORRECTION2 };
enum { MEAN, SQUARE };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 2e-3, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, BELOW_ONE },
    [BETA2] = { "beta2", 0.999, 0, BELOW_ONE },
    [EPS] = { "eps", 1e-8, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [MOMENTUM_DECAY] = { "momentum_decay", 4e-3, 0, INFINITY },
    [DECOUPLED] = { "decoupled_weight_decay", 0, 0, 1 },
};

static const char *check(const double *h)
{
    return h[DECOUPLED] == 0 || h[DECOUPLED] == 1 ? NULL : "decoupled_weight_decay must be 0 or 1";
}

static double momentum_of(const double *h, uint64_t step)
{
    return h[BETA1] * (1 - 0.5 * pow(0.96, (double)step * h[MOMENTUM_DECAY]));
}

/* Of the momenta of all steps so far; soon too small to matter. */
static double product_of(const double *h, uint64_t steps)
{
    double product = 1;
    for (uint64_t step = 1; step <= steps && product > 1e-20; step++)
        product *= momentum_of(h, step);
    return product;
}

static void prepare(const double *h, uint64_t step, double *scalars)
{
    const double now = momentum_of(h, step), next = momentum_of(h, step + 1), product = product_of(h, step);
    scalars[OF_GRADIENT] = h[LR] * (1 - now) / (1 - product);
    scalars[OF_MEAN] = h[LR] * next / (1 - product * next);
    scalars[SHRINK] = 1 - h[LR] * h[WEIGHT_DECAY];
    scalars[FRESH1] = 1 - h[BETA1];
    scalars[FRESH2] = 1 - h[BETA2];
    scalars[CORRECTION2] = 1 / sqrt(1 - pow(h[BETA2], (double)step));
}

static inline __attribute__((always_inline)) void run(const thaw_update *u, bool decoupled)
{
    const float of_gradient = u->scalar[OF_GRADIENT], of_mean = u->scalar[OF_MEAN], shrink = u->scalar[SHRINK];
    const float fresh1 = u->scalar[FRESH1], fresh2 = u->scalar[FRESH2], beta2 = u->scalar[BETA2];
    const float correction2 = u->scalar[CORRECTION2], eps = u->scalar[EPS], decay = u->scalar[WEIGHT_DECAY];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict m = u->slot[MEAN], *restrict v = u->slot[SQUARE];
    for (size_t i = 0; i < u->count; i++) {
        const float g = decoupled ? gradient[i] : gradient[i] + decay * p[i];
        m[i] += fresh1 * (g - m[i]);
        v[i] = beta2 * v[i] + fresh2 * g * g;
        p[i] =
            (decoupled ? shrink * p[i] : p[i]) - (of_gradient * g + of_mean * m[i]) / (sqrtf(v[i]) * correction2 + eps);
    }
}

static void update(const thaw_update *u)
{
    if (u->hyperparameter[DECOUPLED] == 0)
        run(u, false);
    else
        run(u, true);
}

const thaw_optimizer_module thaw_optimizer_nadam = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "nadam",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [MEAN] = "exp_avg", [SQUARE] = "exp_avg_sq" },
    .slot_count = 2,
    .check = check,
    .prepare = prepare,
    .update = update,
};
