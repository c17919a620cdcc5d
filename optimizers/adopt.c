/* ADOPT: Adam that divides each gradient by the second moment of those before it, which makes it converge with any
   beta2. Taniguchi et al. 2024, arXiv 2411.02853, algorithm 2: normalized gradients are clipped to the fourth root of
   the step. The first step only sets the second moment. Weight decay is an L2 term of the gradient, or, with
   decouple=1, applies to the parameter itself. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, EPS, WEIGHT_DECAY, DECOUPLE, DECAY, FRESH1, FRESH2, LIMIT };
enum { MEAN, SQUARE };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-3, 0, INFINITY },
    [BETA1] = { "beta1", 0.9, 0, BELOW_ONE },
    [BETA2] = { "beta2", 0.9999, 0, BELOW_ONE },
    [EPS] = { "eps", 1e-6, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [DECOUPLE] = { "decouple", 0, 0, 1 },
};

static const char *check(const double *h)
{
    return h[DECOUPLE] == 0 || h[DECOUPLE] == 1 ? NULL : "decouple must be 0 or 1";
}

static void prepare(const double *h, uint64_t step, double *scalars)
{
    scalars[DECAY] = h[LR] * h[WEIGHT_DECAY];
    scalars[FRESH1] = 1 - h[BETA1];
    scalars[FRESH2] = 1 - h[BETA2];
    scalars[LIMIT] = pow((double)step - 1, 0.25);
}

static void set_square(const thaw_update *u)
{
    const float decay = u->hyperparameter[DECOUPLE] == 0 ? u->scalar[WEIGHT_DECAY] : 0;
    const float *restrict gradient = u->gradient, *restrict p = u->parameter;
    float *restrict v = u->slot[SQUARE];
    for (size_t i = 0; i < u->count; i++) {
        const float g = gradient[i] + decay * p[i];
        v[i] = g * g;
    }
}

static inline __attribute__((always_inline)) void run(const thaw_update *u, bool decouple)
{
    const float lr = u->scalar[LR], eps = u->scalar[EPS], limit = u->scalar[LIMIT];
    const float coupled = u->scalar[WEIGHT_DECAY], decay = u->scalar[DECAY];
    const float fresh1 = u->scalar[FRESH1], fresh2 = u->scalar[FRESH2], beta2 = u->scalar[BETA2];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict m = u->slot[MEAN], *restrict v = u->slot[SQUARE];
    for (size_t i = 0; i < u->count; i++) {
        const float g = decouple ? gradient[i] : gradient[i] + coupled * p[i];
        const float root = sqrtf(v[i]), normalized = g / (root > eps ? root : eps);
        const float above = normalized > -limit ? normalized : -limit, clipped = above < limit ? above : limit;
        m[i] += fresh1 * (clipped - m[i]);
        v[i] = beta2 * v[i] + fresh2 * g * g;
        p[i] -= decouple ? lr * m[i] + decay * p[i] : lr * m[i];
    }
}

static void update(const thaw_update *u)
{
    if (u->slot_step[SQUARE] == 1)
        set_square(u);
    else if (u->hyperparameter[DECOUPLE] == 0)
        run(u, false);
    else
        run(u, true);
}

const thaw_optimizer_module thaw_optimizer_adopt = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "adopt",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [MEAN] = "exp_avg", [SQUARE] = "exp_avg_sq" },
    .slot_count = 2,
    .check = check,
    .prepare = prepare,
    .update = update,
};
