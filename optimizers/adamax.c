/* Adamax: Adam with a decaying maximum of the gradient's magnitudes in place of the second moment. Kingma & Ba 2015,
   arXiv 1412.6980, section 7.1. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, EPS, WEIGHT_DECAY, RATE, FRESH };
enum { MEAN, LARGEST };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 2e-3, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, BELOW_ONE },
    [BETA2] = { "beta2", 0.999, 0, BELOW_ONE },
    [EPS] = { "eps", 1e-8, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
};

static void prepare(const double *h, uint64_t step, double *scalars)
{
    scalars[RATE] = h[LR] / (1 - pow(h[BETA1], (double)step));
    scalars[FRESH] = 1 - h[BETA1];
}

static void update(const thaw_update *u)
{
    const float rate = u->scalar[RATE], fresh = u->scalar[FRESH], beta2 = u->scalar[BETA2];
    const float eps = u->scalar[EPS], decay = u->scalar[WEIGHT_DECAY];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict m = u->slot[MEAN], *restrict largest = u->slot[LARGEST];
    for (size_t i = 0; i < u->count; i++) {
        const float g = gradient[i] + decay * p[i];
        const float faded = beta2 * largest[i], magnitude = fabsf(g) + eps;
        m[i] += fresh * (g - m[i]);
        largest[i] = faded > magnitude ? faded : magnitude;
        p[i] -= rate * m[i] / largest[i];
    }
}

const thaw_optimizer_module thaw_optimizer_adamax = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "adamax",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [MEAN] = "exp_avg", [LARGEST] = "exp_inf" },
    .slot_count = 2,
    .prepare = prepare,
    .update = update,
};
