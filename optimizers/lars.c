/* LARS: SGD with momentum whose gradients are scaled for each parameter to a length of trust_coefficient times the
   parameter's norm, for large batches. You, Gitman & Ginsburg 2017, arXiv 1708.03888. As in MoCo v3 (arXiv 2104.02057),
   parameters of rank 1, which are biases and scales, are neither scaled nor decayed. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, MOMENTUM, WEIGHT_DECAY, TRUST, RATIO };
enum { BUFFER };
enum { PARAMETER, GRADIENT }; /* sums of squares */

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-3, 0, INFINITY },
    [MOMENTUM] = { "momentum", 0.9, 0, 1 },
    [WEIGHT_DECAY] = { "weight_decay", 0, 0, INFINITY },
    [TRUST] = { "trust_coefficient", 1e-3, 0, INFINITY },
};

static void sums(const thaw_update *u, double *sums)
{
    enum { CHUNK = 512 /* elements that stay in the nearest cache */ };
    const float decay = u->scalar[WEIGHT_DECAY];
    const float *restrict p = u->parameter, *restrict g = u->gradient;
    float decayed[CHUNK];
    for (size_t first = 0; first < u->count; first += CHUNK) {
        const size_t count = u->count - first < CHUNK ? u->count - first : CHUNK;
        for (size_t i = 0; i < count; i++)
            decayed[i] = g[first + i] + decay * p[first + i];
        sums[PARAMETER] += thaw_sum_of_squares(p + first, count);
        sums[GRADIENT] += thaw_sum_of_squares(decayed, count);
    }
}

static void conclude(const thaw_conclusion *c, double *scalars)
{
    const bool matrix = c->shape->rank > 1, adapts = matrix && c->own[PARAMETER] > 0 && c->own[GRADIENT] > 0;
    scalars[RATIO] = adapts ? c->hyperparameter[TRUST] * sqrt(c->own[PARAMETER] / c->own[GRADIENT]) : 1;
    scalars[WEIGHT_DECAY] = matrix ? c->hyperparameter[WEIGHT_DECAY] : 0;
}

static void update(const thaw_update *u)
{
    const float lr = u->scalar[LR], momentum = u->scalar[MOMENTUM];
    const float decay = u->scalar[WEIGHT_DECAY], ratio = u->scalar[RATIO];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict buffer = u->slot[BUFFER];
    for (size_t i = 0; i < u->count; i++) {
        const float g = ratio * (gradient[i] + decay * p[i]);
        buffer[i] = momentum * buffer[i] + g;
        p[i] -= lr * buffer[i];
    }
}

const thaw_optimizer_module thaw_optimizer_lars = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "lars",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [BUFFER] = "momentum_buffer" },
    .slot_count = 1,
    .sum_count = 2,
    .sums = sums,
    .conclude = conclude,
    .own_sums = true,
    .update = update,
};
