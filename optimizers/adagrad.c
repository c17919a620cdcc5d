/* Adagrad: steps divided by the root of the sum of all squared gradients. Duchi, Hazan & Singer 2011, "Adaptive
   subgradient methods for online learning and stochastic optimization", JMLR 12. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, LR_DECAY, WEIGHT_DECAY, INITIAL, EPS, RATE };
enum { SUM };

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-2, 0, INFINITY },
    [LR_DECAY] = { "lr_decay", 0, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [INITIAL] = { "initial_accumulator_value", 0, 0, INFINITY },
    [EPS] = { "eps", 1e-10, 0, INFINITY },
};

static void prepare(const double *h, uint64_t step, double *scalars)
{
    scalars[RATE] = h[LR] / (1 + (double)(step - 1) * h[LR_DECAY]);
}

static void begin(const thaw_update *u, size_t slot)
{
    for (size_t i = 0; i < u->count; i++)
        u->slot[slot][i] = u->scalar[INITIAL];
}

static void update(const thaw_update *u)
{
    const float rate = u->scalar[RATE], decay = u->scalar[WEIGHT_DECAY], eps = u->scalar[EPS];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict sum = u->slot[SUM];
    for (size_t i = 0; i < u->count; i++) {
        const float g = gradient[i] + decay * p[i];
        sum[i] += g * g;
        p[i] -= rate * g / (sqrtf(sum[i]) + eps);
    }
}

const thaw_optimizer_module thaw_optimizer_adagrad = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "adagrad",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [SUM] = "sum" },
    .slot_count = 1,
    .prepare = prepare,
    .begin = begin,
    .update = update,
};
