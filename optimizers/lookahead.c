/* Lookahead: every k steps of another optimizer, goes back to a point between where these have led and where it came from
   k steps ago. Zhang et al. 2019, arXiv 1907.08610, algorithm 1. The other optimizer keeps its state. Between two such
   steps, the fast weights are what is evaluated and saved. Each parameter counts its own steps. */
#include <math.h>
#include <string.h>
#include <thaw/optimizer_module.h>

enum { K, ALPHA };
enum { SLOW };

static const thaw_hyperparameter hyperparameters[] = {
    [K] = { "k", 5, 1, 1e9 },
    [ALPHA] = { "alpha", 0.5, 0, 1 },
};

static const char *check(const double *h)
{
    return h[K] == floor(h[K]) ? NULL : "k must be whole";
}

static void begin(const thaw_update *u, size_t slot)
{
    memcpy(u->slot[slot], u->parameter, u->count * sizeof(float));
}

static void update(const thaw_update *u)
{
    const float alpha = u->scalar[ALPHA];
    float *restrict p = u->parameter, *restrict slow = u->slot[SLOW];
    if (u->slot_step[SLOW] % (uint64_t)u->hyperparameter[K] != 0)
        return;
    for (size_t i = 0; i < u->count; i++)
        p[i] = slow[i] += alpha * (p[i] - slow[i]);
}

const thaw_optimizer_module thaw_optimizer_lookahead = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "lookahead",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [SLOW] = "slow" },
    .slot_count = 1,
    .check = check,
    .wraps = true,
    .begin = begin,
    .update = update,
};
