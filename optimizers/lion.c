/* Lion: steps of one size, in the direction of the sign of a blend of momentum and gradient. Chen et al. 2023,
   "Symbolic discovery of optimization algorithms", arXiv 2302.06675. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, WEIGHT_DECAY, DECAY, FRESH1, FRESH2 };
enum { MEAN };

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-4, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, 1 },
    [BETA2] = { "beta2", 0.99, 0, 1 },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
};

static void prepare(const double *h, uint64_t step, double *scalars)
{
    (void)step;
    scalars[DECAY] = h[LR] * h[WEIGHT_DECAY];
    scalars[FRESH1] = 1 - h[BETA1];
    scalars[FRESH2] = 1 - h[BETA2];
}

static void update(const thaw_update *u)
{
    const float lr = u->scalar[LR], decay = u->scalar[DECAY];
    const float beta1 = u->scalar[BETA1], fresh1 = u->scalar[FRESH1];
    const float beta2 = u->scalar[BETA2], fresh2 = u->scalar[FRESH2];
    const float *restrict g = u->gradient;
    float *restrict p = u->parameter, *restrict m = u->slot[MEAN];
    for (size_t i = 0; i < u->count; i++) {
        const float blend = beta1 * m[i] + fresh1 * g[i];
        const float sign = blend > 0 ? 1.0F : blend < 0 ? -1.0F : 0.0F;
        m[i] = beta2 * m[i] + fresh2 * g[i];
        p[i] -= lr * sign + decay * p[i];
    }
}

const thaw_optimizer_module thaw_optimizer_lion = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "lion",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [MEAN] = "exp_avg" },
    .slot_count = 1,
    .prepare = prepare,
    .update = update,
    .slot_ranges = (const thaw_slot_range[]){ [MEAN] = THAW_SLOT_SIGNED },
};
