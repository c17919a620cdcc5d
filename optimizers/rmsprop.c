/* RMSprop: divide the gradient by a running root mean square of itself.
   Hinton, Neural Networks for Machine Learning, lecture 6e; centered: Graves 2013, arXiv 1308.0850. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, ALPHA, EPS, WEIGHT_DECAY, MOMENTUM, CENTERED, FRESH };
enum { SQUARE, MEAN, BUFFER };

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-2, 0, INFINITY },   [ALPHA] = { "alpha", 0.99, 0, 1 },
    [EPS] = { "eps", 1e-8, 0, INFINITY }, [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [MOMENTUM] = { "momentum", 0, 0, 1 }, [CENTERED] = { "centered", 0, 0, 1 },
};

static bool uses_slot(const double *h, size_t slot)
{
    return slot == SQUARE || (slot == MEAN && h[CENTERED] != 0) || (slot == BUFFER && h[MOMENTUM] != 0);
}

static const char *check(const double *h)
{
    return h[CENTERED] == 0 || h[CENTERED] == 1 ? NULL : "centered must be 0 or 1";
}

static void prepare(const double *h, uint64_t step, double *scalars)
{
    (void)step;
    scalars[FRESH] = 1 - h[ALPHA];
}

static inline __attribute__((always_inline)) void run(const thaw_update *u, bool centered, bool with_momentum)
{
    const float lr = u->scalar[LR], alpha = u->scalar[ALPHA], fresh = u->scalar[FRESH], eps = u->scalar[EPS];
    const float decay = u->scalar[WEIGHT_DECAY], momentum = u->scalar[MOMENTUM];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter;
    float *restrict v = u->slot[SQUARE], *restrict mean = u->slot[MEAN], *restrict buffer = u->slot[BUFFER];
    for (size_t i = 0; i < u->count; i++) {
        const float g = gradient[i] + decay * p[i];
        float variance = v[i] = alpha * v[i] + fresh * g * g;
        if (centered) {
            mean[i] += fresh * (g - mean[i]);
            variance -= mean[i] * mean[i];
            variance = variance < 0 ? 0 : variance; /* by rounding */
        }
        const float deviation = sqrtf(variance) + eps;
        if (with_momentum) {
            buffer[i] = momentum * buffer[i] + g / deviation;
            p[i] -= lr * buffer[i];
        } else {
            p[i] -= lr * g / deviation;
        }
    }
}

static void update(const thaw_update *u)
{
    const bool centered = u->hyperparameter[CENTERED] != 0, with_momentum = u->hyperparameter[MOMENTUM] != 0;
    if (centered && with_momentum)
        run(u, true, true);
    else if (centered)
        run(u, true, false);
    else if (with_momentum)
        run(u, false, true);
    else
        run(u, false, false);
}

const thaw_optimizer_module thaw_optimizer_rmsprop = {
    .size = sizeof(thaw_optimizer_module),
    .abi = THAW_OPTIMIZER_ABI,
    .name = "rmsprop",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [SQUARE] = "square_avg", [MEAN] = "grad_avg", [BUFFER] = "momentum_buffer" },
    .slot_count = 3,
    .uses_slot = uses_slot,
    .check = check,
    .prepare = prepare,
    .update = update,
};
