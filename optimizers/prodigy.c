/* Prodigy: Adam whose steps are scaled by an estimate d of how far the solution is, which grows as the run goes on, so
   that lr stays 1. Mishchenko & Defazio 2023, arXiv 2306.06101, algorithm 4. Names, defaults and order of operations are
   those of the authors' package (prodigyopt 1.1), but each parameter counts its own steps, and one whose group has its own
   learning rate adds to the sums of the estimate with that. beta3=0 is the square root of beta2, and growth_rate=0 limits
   no growth. */
#include <math.h>
#include <string.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, BETA3, EPS, WEIGHT_DECAY, DECOUPLE, D0, D_COEF, GROWTH_RATE, BIAS, SAFEGUARD, STEP, FLOOR };
enum { GRADIENT_SUM, INITIAL, MEAN, SQUARE, D, D_MAX, NUMERATOR };
enum { PROGRESS, LENGTH }; /* sums */

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, BELOW_ONE },
    [BETA2] = { "beta2", 0.999, 0, BELOW_ONE },
    [BETA3] = { "beta3", 0, 0, BELOW_ONE },
    [EPS] = { "eps", 1e-8, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [DECOUPLE] = { "decouple", 1, 0, 1 },
    [D0] = { "d0", 1e-6, 0x1p-126, INFINITY },
    [D_COEF] = { "d_coef", 1, 0, INFINITY },
    [GROWTH_RATE] = { "growth_rate", 0, 0, INFINITY },
    [BIAS] = { "use_bias_correction", 0, 0, 1 },
    [SAFEGUARD] = { "safeguard_warmup", 0, 0, 1 },
};

static const thaw_slot_shape slot_shapes[] = {
    [D] = THAW_SLOT_SHARED, [D_MAX] = THAW_SLOT_SHARED, [NUMERATOR] = THAW_SLOT_SHARED
};

static bool uses_slot(const double *h, size_t slot)
{
    return slot != MEAN || h[BETA1] > 0;
}

static const char *check(const double *h)
{
    if ((h[DECOUPLE] != 0 && h[DECOUPLE] != 1) || (h[BIAS] != 0 && h[BIAS] != 1) ||
        (h[SAFEGUARD] != 0 && h[SAFEGUARD] != 1))
        return "decouple, use_bias_correction and safeguard_warmup must be 0 or 1";
    return h[GROWTH_RATE] == 0 || h[GROWTH_RATE] >= 1 ? NULL : "growth_rate must be at least 1, or 0 for no limit";
}

static void prepare(const double *h, uint64_t step, double *scalars)
{
    const double count = (double)step;
    if (h[BIAS] != 0)
        scalars[LR] = h[LR] * sqrt(1 - pow(h[BETA2], count)) / (1 - pow(h[BETA1], count));
    if (h[BETA3] == 0)
        scalars[BETA3] = sqrt(h[BETA2]);
    scalars[WEIGHT_DECAY] = h[DECOUPLE] == 0 ? h[WEIGHT_DECAY] : 0; /* of the gradient */
}

static void begin(const thaw_update *u, size_t slot)
{
    if (slot == INITIAL)
        memcpy(u->slot[INITIAL], u->parameter, u->count * sizeof(float));
}

/* An estimate before its first step is 0. */
static double estimate_of(const float *slot, const double *h)
{
    return *slot > 0 ? (double)*slot : h[D0];
}

/* The moments are of gradients times d. The progress is the products of gradients with the way from the start. */
static void sums(const thaw_update *u, double *sums)
{
    enum { LANES = 8 };
    const double *h = u->hyperparameter, d = estimate_of(u->slot[D], h);
    if (h[LR] == 0)
        return;
    const double ratio = d / h[D0], rate = d * (double)u->scalar[LR];
    const float beta1 = u->scalar[BETA1], beta2 = u->scalar[BETA2], beta3 = u->scalar[BETA3];
    const float fresh1 = (float)(d * (1 - h[BETA1])), fresh2 = (float)(d * d * (1 - h[BETA2]));
    const float fresh3 = (float)(ratio * (h[SAFEGUARD] != 0 ? d : rate)), decay = u->scalar[WEIGHT_DECAY];
    const float *restrict p = u->parameter, *restrict gradient = u->gradient, *restrict p0 = u->slot[INITIAL];
    float *restrict m = u->slot[MEAN], *restrict v = u->slot[SQUARE], *restrict s = u->slot[GRADIENT_SUM];
    double progress[LANES] = { 0 }, length[LANES] = { 0 };
    for (size_t first = 0; first < u->count; first += LANES) {
        const size_t lanes = u->count - first < LANES ? u->count - first : LANES;
        for (size_t k = 0; k < lanes; k++) {
            const size_t i = first + k;
            const float g = gradient[i] + decay * p[i];
            if (m)
                m[i] = beta1 * m[i] + fresh1 * g;
            v[i] = beta2 * v[i] + fresh2 * g * g;
            s[i] = beta3 * s[i] + fresh3 * g;
            progress[k] += (double)g * (double)(p0[i] - p[i]);
            length[k] += (double)fabsf(s[i]);
        }
    }
    for (size_t k = 0; k < LANES; k++) {
        sums[PROGRESS] += ratio * rate * progress[k];
        sums[LENGTH] += length[k];
    }
}

/* Without gradients, nothing moves. */
static void conclude(const thaw_conclusion *c, double *scalars)
{
    const double *h = c->hyperparameter, d = estimate_of(c->slot[D], h), before = estimate_of(c->slot[D_MAX], h);
    scalars[STEP] = 0;
    if (c->all[LENGTH] == 0)
        return;
    const double numerator = scalars[BETA3] * (double)*c->slot[NUMERATOR] + c->all[PROGRESS];
    const double found = h[D_COEF] * numerator / c->all[LENGTH], most = fmax(before, found);
    const double from = (float)d == (float)h[D0] ? fmax(d, found) : d;
    const double next = h[GROWTH_RATE] == 0 ? most : fmin(most, from * h[GROWTH_RATE]);
    *c->slot[NUMERATOR] = (float)numerator;
    *c->slot[D_MAX] = (float)most;
    *c->slot[D] = (float)next;
    scalars[STEP] = d * scalars[LR] * (h[BETA1] > 0 ? 1 : d);
    scalars[FLOOR] = next * h[EPS];
    scalars[DECOUPLE] = h[DECOUPLE] * h[WEIGHT_DECAY] * d * scalars[LR];
}

static void update(const thaw_update *u)
{
    const float step = u->scalar[STEP], floor = u->scalar[FLOOR], shrink = u->scalar[DECOUPLE];
    const float decay = u->scalar[WEIGHT_DECAY];
    const float *restrict gradient = u->gradient, *restrict m = u->slot[MEAN], *restrict v = u->slot[SQUARE];
    float *restrict p = u->parameter;
    if (step == 0)
        return;
    for (size_t i = 0; i < u->count; i++) {
        const float direction = m ? m[i] : gradient[i] + decay * p[i];
        p[i] -= shrink * p[i];
        p[i] -= step * direction / (sqrtf(v[i]) + floor);
    }
}

const thaw_optimizer_module thaw_optimizer_prodigy = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "prodigy",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [GRADIENT_SUM] = "s",
                                    [INITIAL] = "p0",
                                    [MEAN] = "exp_avg",
                                    [SQUARE] = "exp_avg_sq",
                                    [D] = "d",
                                    [D_MAX] = "d_max",
                                    [NUMERATOR] = "d_numerator" },
    .slot_count = THAW_COUNT(slot_shapes),
    .slot_shapes = slot_shapes,
    .uses_slot = uses_slot,
    .check = check,
    .prepare = prepare,
    .begin = begin,
    .sum_count = 2,
    .sums = sums,
    .conclude = conclude,
    .update = update,
};
