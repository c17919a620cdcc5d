/* Stochastic gradient descent, with momentum as PyTorch writes it: Sutskever et al. 2013, "On the importance of
   initialization and momentum in deep learning", with the learning rate outside of the buffer. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, MOMENTUM, DAMPENING, WEIGHT_DECAY, NESTEROV, FRESH };
enum { BUFFER };

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-3, 0, INFINITY },     [MOMENTUM] = { "momentum", 0, 0, 1 },
    [DAMPENING] = { "dampening", 0, 0, 1 }, [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [NESTEROV] = { "nesterov", 0, 0, 1 },
};

static bool uses_slot(const double *h, size_t slot)
{
    return slot == BUFFER && h[MOMENTUM] != 0;
}

static bool rests_at_zero(const double *h)
{
    return h[MOMENTUM] == 0 && h[WEIGHT_DECAY] == 0;
}

static const char *check(const double *h)
{
    if (h[NESTEROV] != 0 && h[NESTEROV] != 1)
        return "nesterov must be 0 or 1";
    if (h[NESTEROV] != 0 && (h[MOMENTUM] == 0 || h[DAMPENING] != 0))
        return "nesterov requires a momentum above 0 and dampening 0";
    return NULL;
}

static void prepare(const double *h, uint64_t step, double *scalars)
{
    (void)step;
    scalars[FRESH] = 1 - h[DAMPENING];
}

static void update_plain(const thaw_update *u)
{
    const float lr = u->scalar[LR], decay = u->scalar[WEIGHT_DECAY];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter;
    for (size_t i = 0; i < u->count; i++)
        p[i] -= lr * (gradient[i] + decay * p[i]);
}

static void update_momentum(const thaw_update *u)
{
    const float lr = u->scalar[LR], momentum = u->scalar[MOMENTUM];
    /* The first gradient enters the zero buffer without dampening. */
    const float fresh = u->slot_step[BUFFER] == 1 ? 1 : u->scalar[FRESH];
    const float decay = u->scalar[WEIGHT_DECAY];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict buffer = u->slot[BUFFER];
    for (size_t i = 0; i < u->count; i++) {
        const float g = gradient[i] + decay * p[i];
        buffer[i] = momentum * buffer[i] + fresh * g;
        p[i] -= lr * buffer[i];
    }
}

static void update_nesterov(const thaw_update *u)
{
    const float lr = u->scalar[LR], momentum = u->scalar[MOMENTUM], decay = u->scalar[WEIGHT_DECAY];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict buffer = u->slot[BUFFER];
    for (size_t i = 0; i < u->count; i++) {
        const float g = gradient[i] + decay * p[i];
        buffer[i] = momentum * buffer[i] + g;
        p[i] -= lr * (g + momentum * buffer[i]);
    }
}

static void update(const thaw_update *u)
{
    if (u->hyperparameter[MOMENTUM] == 0)
        update_plain(u);
    else if (u->hyperparameter[NESTEROV] == 0)
        update_momentum(u);
    else
        update_nesterov(u);
}

const thaw_optimizer_module thaw_optimizer_sgd = {
    .size = sizeof(thaw_optimizer_module),
    .abi = THAW_OPTIMIZER_ABI,
    .name = "sgd",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [BUFFER] = "momentum_buffer" },
    .slot_count = 1,
    .uses_slot = uses_slot,
    .rests_at_zero = rests_at_zero,
    .check = check,
    .prepare = prepare,
    .update = update,
    .slot_ranges = (const thaw_slot_range[]){ [BUFFER] = THAW_SLOT_SIGNED },
};
