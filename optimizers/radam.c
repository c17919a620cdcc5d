/* RAdam: Adam whose first steps are plain momentum, until the second moment's variance is known well enough to divide
   by it. Liu et al. 2020, arXiv 1908.03265; decoupled_weight_decay: as in AdamW, arXiv 1711.05101. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, EPS, WEIGHT_DECAY, DECOUPLED, RATE, ADAPTS, SHRINK, FRESH1, FRESH2 };
enum { MEAN, SQUARE };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-3, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, BELOW_ONE },
    [BETA2] = { "beta2", 0.999, 0, BELOW_ONE },
    [EPS] = { "eps", 1e-8, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [DECOUPLED] = { "decoupled_weight_decay", 0, 0, 1 },
};

static const char *check(const double *h)
{
    return h[DECOUPLED] == 0 || h[DECOUPLED] == 1 ? NULL : "decoupled_weight_decay must be 0 or 1";
}

/* The factor of an adaptive step, with the second moment's bias correction; 0 where its variance is not tractable. */
static double rectification(double beta2, double steps)
{
    const double correction = 1 - pow(beta2, steps), longest = 2 / (1 - beta2) - 1;
    const double length = longest - 2 * steps * pow(beta2, steps) / correction;
    if (length <= 5)
        return 0;
    return sqrt(correction * (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
}

static void prepare(const double *h, uint64_t step, double *scalars)
{
    const double rate = h[LR] / (1 - pow(h[BETA1], (double)step));
    const double rectified = rectification(h[BETA2], (double)step);
    scalars[ADAPTS] = rectified > 0;
    scalars[RATE] = rectified > 0 ? rate * rectified : rate;
    scalars[SHRINK] = 1 - h[LR] * h[WEIGHT_DECAY];
    scalars[FRESH1] = 1 - h[BETA1];
    scalars[FRESH2] = 1 - h[BETA2];
}

static inline __attribute__((always_inline)) void run(const thaw_update *u, bool decoupled, bool adapts)
{
    const float rate = u->scalar[RATE], shrink = u->scalar[SHRINK], decay = u->scalar[WEIGHT_DECAY];
    const float fresh1 = u->scalar[FRESH1], fresh2 = u->scalar[FRESH2], beta2 = u->scalar[BETA2], eps = u->scalar[EPS];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict m = u->slot[MEAN], *restrict v = u->slot[SQUARE];
    for (size_t i = 0; i < u->count; i++) {
        const float g = decoupled ? gradient[i] : gradient[i] + decay * p[i];
        m[i] += fresh1 * (g - m[i]);
        v[i] = beta2 * v[i] + fresh2 * g * g;
        p[i] = (decoupled ? shrink * p[i] : p[i]) - (adapts ? rate * m[i] / (sqrtf(v[i]) + eps) : rate * m[i]);
    }
}

static void update(const thaw_update *u)
{
    const bool decoupled = u->hyperparameter[DECOUPLED] != 0, adapts = u->scalar[ADAPTS] != 0;
    if (decoupled && adapts)
        run(u, true, true);
    else if (decoupled)
        run(u, true, false);
    else if (adapts)
        run(u, false, true);
    else
        run(u, false, false);
}

const thaw_optimizer_module thaw_optimizer_radam = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "radam",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [MEAN] = "exp_avg", [SQUARE] = "exp_avg_sq" },
    .slot_count = 2,
    .check = check,
    .prepare = prepare,
    .update = update,
};
