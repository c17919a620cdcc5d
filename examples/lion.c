/* Lion, as your own optimizer: Chen et al. 2023, "Symbolic discovery of optimization algorithms", arXiv 2302.06675.
   Each step has the size of the learning rate; its sign comes from a blend of momentum and gradient.

       cc -O3 -shared -fPIC lion.c -o lion.so $(pkg-config --cflags thaw)
       thaw train --optimizer ./lion.so:lr=1e-4,weight_decay=0.1 ... */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, WEIGHT_DECAY, FRESH1, FRESH2 };

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-4, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, 1 },
    [BETA2] = { "beta2", 0.99, 0, 1 },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
};

static void prepare(const double *h, uint64_t step, double *scalars)
{
    (void)step;
    scalars[FRESH1] = 1 - h[BETA1];
    scalars[FRESH2] = 1 - h[BETA2];
}

static void update(const thaw_update *u)
{
    const float lr = u->scalar[LR], decay = u->scalar[WEIGHT_DECAY];
    const float beta1 = u->scalar[BETA1], fresh1 = u->scalar[FRESH1];
    const float beta2 = u->scalar[BETA2], fresh2 = u->scalar[FRESH2];
    const float *restrict g = u->gradient;
    float *restrict p = u->parameter, *restrict momentum = u->slot[0];
    for (size_t i = 0; i < u->count; i++) {
        const float blend = beta1 * momentum[i] + fresh1 * g[i];
        const float sign = blend > 0 ? 1.0F : blend < 0 ? -1.0F : 0.0F;
        momentum[i] = beta2 * momentum[i] + fresh2 * g[i];
        p[i] -= lr * (sign + decay * p[i]);
    }
}

/* Thaw looks for this name in a shared object. A program that links Thaw passes its module to
   thaw_optimizer_create_from instead. */
THAW_API extern const thaw_optimizer_module thaw_module;

const thaw_optimizer_module thaw_module = {
    .size = sizeof(thaw_optimizer_module),
    .abi = THAW_OPTIMIZER_ABI,
    .name = "lion",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ "exp_avg" },
    .slot_count = 1,
    .prepare = prepare,
    .update = update,
};
