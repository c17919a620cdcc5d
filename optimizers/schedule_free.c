/* Schedule-Free: steps are taken at z, gradients at y, between z and the average x of all z, which is what counts; so
   no schedule needs to know where training ends. Defazio et al. 2024, arXiv 2405.15682. The parameter is y. Names,
   defaults and order of operations are those of the authors' package (schedulefree 1.4), but each parameter counts its
   own steps. Schedule-Free AdamW divides the gradient by a running root mean square of itself, as AdamW does. */
#include <math.h>
#include <string.h>
#include <thaw/optimizer_module.h>

enum { LR, BETA, WEIGHT_DECAY, WARMUP, R, POWER, BETA2, EPS, RATE, BLEND, STEP, FRESH2, CORRECTION2 };
enum { Z, WEIGHT_SUM, LR_MAX, SQUARE };

static const double LEAST = 0x1p-52, BELOW_ONE = 0x1.fffffffffffffp-1;

#define HYPERPARAMETERS(lr, beta)                                                                       \
    [LR] = { "lr", lr, 0, INFINITY }, [BETA] = { beta, 0.9, LEAST, BELOW_ONE },                         \
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY }, [WARMUP] = { "warmup_steps", 0, 0, INFINITY }, \
    [R] = { "r", 0, 0, INFINITY }, [POWER] = { "weight_lr_power", 2, 0, INFINITY }

static const thaw_hyperparameter sgd_hyperparameters[] = { HYPERPARAMETERS(1, "momentum") };
static const thaw_hyperparameter adamw_hyperparameters[] = {
    HYPERPARAMETERS(2.5e-3, "beta1"),
    [BETA2] = { "beta2", 0.999, 0, BELOW_ONE },
    [EPS] = { "eps", 1e-8, 0, INFINITY },
};

static const char *const slots[] = {
    [Z] = "z", [WEIGHT_SUM] = "weight_sum", [LR_MAX] = "lr_max", [SQUARE] = "exp_avg_sq"
};
static const thaw_slot_shape slot_shapes[] = { [WEIGHT_SUM] = THAW_SLOT_ONE, [LR_MAX] = THAW_SLOT_ONE, [SQUARE] = 0 };

static void begin(const thaw_update *u, size_t slot)
{
    if (slot == Z)
        memcpy(u->slot[Z], u->parameter, u->count * sizeof(float));
}

static void prepare(const double *h, uint64_t step, double *scalars)
{
    scalars[FRESH2] = 1 - h[BETA2];
    scalars[CORRECTION2] = 1 / sqrt(1 - pow(h[BETA2], (double)step));
}

/* The average moves by the weight of this step, among those of all so far. */
static void conclude(const thaw_conclusion *c, double *scalars)
{
    const double *h = c->hyperparameter, step = (double)c->step;
    const double rate = h[LR] * (step < h[WARMUP] ? step / h[WARMUP] : 1);
    const double most = fmax(rate, (double)*c->slot[LR_MAX]), weight = pow(step, h[R]) * pow(most, h[POWER]);
    const double sum = (double)*c->slot[WEIGHT_SUM] + weight, blend = sum > 0 ? weight / sum : 0;
    *c->slot[LR_MAX] = (float)most;
    *c->slot[WEIGHT_SUM] = (float)sum;
    scalars[RATE] = rate;
    scalars[BLEND] = blend;
    scalars[STEP] = rate * (h[BETA] * (1 - blend) - 1);
}

static void update_sgd(const thaw_update *u)
{
    const float rate = u->scalar[RATE], blend = u->scalar[BLEND], step = u->scalar[STEP];
    const float decay = u->scalar[WEIGHT_DECAY];
    const float *restrict gradient = u->gradient;
    float *restrict y = u->parameter, *restrict z = u->slot[Z];
    for (size_t i = 0; i < u->count; i++) {
        const float g = gradient[i] + decay * y[i];
        y[i] += blend * (z[i] - y[i]) + step * g;
        z[i] -= rate * g;
    }
}

static void update_adamw(const thaw_update *u)
{
    const float rate = u->scalar[RATE], blend = u->scalar[BLEND], step = u->scalar[STEP];
    const float decay = u->scalar[WEIGHT_DECAY], eps = u->scalar[EPS], beta2 = u->scalar[BETA2];
    const float fresh2 = u->scalar[FRESH2], correction2 = u->scalar[CORRECTION2];
    const float *restrict gradient = u->gradient;
    float *restrict y = u->parameter, *restrict z = u->slot[Z], *restrict v = u->slot[SQUARE];
    for (size_t i = 0; i < u->count; i++) {
        v[i] = beta2 * v[i] + fresh2 * gradient[i] * gradient[i];
        const float g = gradient[i] / (sqrtf(v[i]) * correction2 + eps) + decay * y[i];
        y[i] += blend * (z[i] - y[i]) + step * g;
        z[i] -= rate * g;
    }
}

/* x, of which y = (1 - beta) z + beta x. */
static void view(const thaw_update *u, float *evaluated)
{
    const float weight = (float)(1 - 1 / u->hyperparameter[BETA]);
    for (size_t i = 0; i < u->count; i++)
        evaluated[i] = u->parameter[i] + weight * (u->slot[Z][i] - u->parameter[i]);
}

const thaw_optimizer_module thaw_optimizer_schedule_free_adamw = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "schedule-free-adamw",
    .hyperparameters = adamw_hyperparameters,
    .hyperparameter_count = THAW_COUNT(adamw_hyperparameters),
    .slots = slots,
    .slot_count = THAW_COUNT(slots),
    .slot_shapes = slot_shapes,
    .prepare = prepare,
    .begin = begin,
    .conclude = conclude,
    .update = update_adamw,
    .view = view,
};

const thaw_optimizer_module thaw_optimizer_schedule_free_sgd = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "schedule-free-sgd",
    .hyperparameters = sgd_hyperparameters,
    .hyperparameter_count = THAW_COUNT(sgd_hyperparameters),
    .slots = slots,
    .slot_count = SQUARE,
    .slot_shapes = slot_shapes,
    .begin = begin,
    .conclude = conclude,
    .update = update_sgd,
    .view = view,
};
