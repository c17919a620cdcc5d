/* Adadelta: steps in the ratio of a running root mean square of past steps to that of gradients, which needs no
   learning rate. Zeiler 2012, arXiv 1212.5701. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, RHO, EPS, WEIGHT_DECAY, FRESH };
enum { SQUARE, DELTA };

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1, 0, INFINITY },
    [RHO] = { "rho", 0.9, 0, 1 },
    [EPS] = { "eps", 1e-6, 0, INFINITY },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
};

static void prepare(const double *h, uint64_t step, double *scalars)
{
    (void)step;
    scalars[FRESH] = 1 - h[RHO];
}

static void update(const thaw_update *u)
{
    const float lr = u->scalar[LR], rho = u->scalar[RHO], fresh = u->scalar[FRESH];
    const float eps = u->scalar[EPS], decay = u->scalar[WEIGHT_DECAY];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict square = u->slot[SQUARE], *restrict moved = u->slot[DELTA];
    for (size_t i = 0; i < u->count; i++) {
        const float g = gradient[i] + decay * p[i];
        square[i] = rho * square[i] + fresh * g * g;
        const float delta = sqrtf(moved[i] + eps) / sqrtf(square[i] + eps) * g;
        moved[i] = rho * moved[i] + fresh * delta * delta;
        p[i] -= lr * delta;
    }
}

const thaw_optimizer_module thaw_optimizer_adadelta = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "adadelta",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [SQUARE] = "square_avg", [DELTA] = "acc_delta" },
    .slot_count = 2,
    .prepare = prepare,
    .update = update,
};
