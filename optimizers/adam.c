/* Adam: steps scaled by running estimates of the gradient's first two moments. Kingma & Ba 2015, arXiv 1412.6980;
   amsgrad: Reddi et al. 2018, arXiv 1904.09237. Its weight decay is an L2 term of the gradient.
   AdamW: the same, but weight decay applies to the parameter itself, separate from the moments. Loshchilov & Hutter
   2019, arXiv 1711.05101. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA1, BETA2, EPS, WEIGHT_DECAY, AMSGRAD, RATE, SHRINK, FRESH1, FRESH2, CORRECTION2 };
enum { MEAN, SQUARE, LARGEST };

static const double BELOW_ONE = 0x1.fffffffffffffp-1;

/* Adam and AdamW differ in the default of weight_decay. */
#define HYPERPARAMETERS(decay)                                                                       \
    {                                                                                                \
        [LR] = { "lr", 1e-3, 0, INFINITY }, [BETA1] = { "beta1", 0.9, 0, BELOW_ONE },                \
        [BETA2] = { "beta2", 0.999, 0, BELOW_ONE }, [EPS] = { "eps", 1e-8, 0, INFINITY },            \
        [WEIGHT_DECAY] = { "weight_decay", decay, 0, INFINITY }, [AMSGRAD] = { "amsgrad", 0, 0, 1 }, \
    }

static const thaw_hyperparameter adam_hyperparameters[] = HYPERPARAMETERS(0);
static const thaw_hyperparameter adamw_hyperparameters[] = HYPERPARAMETERS(1e-2);

static const char *const slots[] = { [MEAN] = "exp_avg", [SQUARE] = "exp_avg_sq", [LARGEST] = "max_exp_avg_sq" };

static const thaw_slot_range ranges[] = {
    [MEAN] = THAW_SLOT_SIGNED, [SQUARE] = THAW_SLOT_POSITIVE, [LARGEST] = THAW_SLOT_EXACT
};

static bool uses_slot(const double *h, size_t slot)
{
    return slot != LARGEST || h[AMSGRAD] != 0;
}

static const char *check(const double *h)
{
    return h[AMSGRAD] == 0 || h[AMSGRAD] == 1 ? NULL : "amsgrad must be 0 or 1";
}

/* The moments start at zero. Dividing their estimates by these corrects the bias after `steps` steps. */
static void prepare(const double *h, uint64_t step, double *scalars)
{
    scalars[RATE] = h[LR] / (1 - pow(h[BETA1], (double)step));
    scalars[SHRINK] = 1 - h[LR] * h[WEIGHT_DECAY];
    scalars[FRESH1] = 1 - h[BETA1];
    scalars[FRESH2] = 1 - h[BETA2];
    scalars[CORRECTION2] = 1 / sqrt(1 - pow(h[BETA2], (double)step));
}

/* The flags are constants at each call, so each combination of them becomes a separate loop. */
static inline __attribute__((always_inline)) void run(const thaw_update *u, bool decoupled, bool amsgrad)
{
    const float rate = u->scalar[RATE], eps = u->scalar[EPS];
    const float decay = u->scalar[WEIGHT_DECAY], shrink = u->scalar[SHRINK];
    const float fresh1 = u->scalar[FRESH1], fresh2 = u->scalar[FRESH2], beta2 = u->scalar[BETA2];
    const float correction2 = u->scalar[CORRECTION2];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter;
    float *restrict m = u->slot[MEAN], *restrict v = u->slot[SQUARE], *restrict largest = u->slot[LARGEST];
    for (size_t i = 0; i < u->count; i++) {
        const float g = decoupled ? gradient[i] : gradient[i] + decay * p[i];
        m[i] += fresh1 * (g - m[i]);
        float square = v[i] = beta2 * v[i] + fresh2 * g * g;
        if (amsgrad)
            square = largest[i] = square > largest[i] ? square : largest[i];
        p[i] = (decoupled ? shrink * p[i] : p[i]) - rate * m[i] / (sqrtf(square) * correction2 + eps);
    }
}

static void update_adam(const thaw_update *u)
{
    if (u->hyperparameter[AMSGRAD] == 0)
        run(u, false, false);
    else
        run(u, false, true);
}

static void update_adamw(const thaw_update *u)
{
    if (u->hyperparameter[AMSGRAD] == 0)
        run(u, true, false);
    else
        run(u, true, true);
}

const thaw_optimizer_module thaw_optimizer_adam = {
    .size = sizeof(thaw_optimizer_module),
    .abi = THAW_OPTIMIZER_ABI,
    .name = "adam",
    .hyperparameters = adam_hyperparameters,
    .hyperparameter_count = THAW_COUNT(adam_hyperparameters),
    .slots = slots,
    .slot_count = THAW_COUNT(slots),
    .uses_slot = uses_slot,
    .check = check,
    .prepare = prepare,
    .update = update_adam,
    .slot_ranges = ranges,
};

const thaw_optimizer_module thaw_optimizer_adamw = {
    .size = sizeof(thaw_optimizer_module),
    .abi = THAW_OPTIMIZER_ABI,
    .name = "adamw",
    .hyperparameters = adamw_hyperparameters,
    .hyperparameter_count = THAW_COUNT(adamw_hyperparameters),
    .slots = slots,
    .slot_count = THAW_COUNT(slots),
    .uses_slot = uses_slot,
    .check = check,
    .prepare = prepare,
    .update = update_adamw,
    .slot_ranges = ranges,
};
