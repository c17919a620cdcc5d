/* Rprop: each element has a step size of its own, which grows while its gradient keeps its sign, and shrinks when the
   sign changes. Riedmiller & Braun 1993, "A direct adaptive method for faster backpropagation learning". For whole
   batches: it is the sign of the gradient alone that counts. `lr` is the first step size. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { LR, ETA_MINUS, ETA_PLUS, LEAST, MOST };
enum { PREVIOUS, SIZE };

static const double ABOVE_ONE = 0x1.0000000000001p0, BELOW_ONE = 0x1.fffffffffffffp-1, ABOVE_ZERO = 0x1p-1022;

static const thaw_hyperparameter hyperparameters[] = {
    [LR] = { "lr", 1e-2, 0, INFINITY },
    [ETA_MINUS] = { "eta_minus", 0.5, ABOVE_ZERO, BELOW_ONE },
    [ETA_PLUS] = { "eta_plus", 1.2, ABOVE_ONE, INFINITY },
    [LEAST] = { "step_size_min", 1e-6, 0, INFINITY },
    [MOST] = { "step_size_max", 50, 0, INFINITY },
};

static const char *check(const double *h)
{
    return h[LEAST] <= h[MOST] ? NULL : "step_size_min must be at most step_size_max";
}

static void begin(const thaw_update *u, size_t slot)
{
    for (size_t i = 0; i < u->count; i++)
        u->slot[slot][i] = slot == SIZE ? u->scalar[LR] : 0;
}

static void update(const thaw_update *u)
{
    const float shrink = u->scalar[ETA_MINUS], grow = u->scalar[ETA_PLUS];
    const float least = u->scalar[LEAST], most = u->scalar[MOST];
    const float *restrict gradient = u->gradient;
    float *restrict p = u->parameter, *restrict previous = u->slot[PREVIOUS], *restrict size = u->slot[SIZE];
    for (size_t i = 0; i < u->count; i++) {
        const float product = gradient[i] * previous[i];
        const float wanted = size[i] * (product > 0 ? grow : product < 0 ? shrink : 1);
        const float raised = wanted > least ? wanted : least;
        const float g = product < 0 ? 0 : gradient[i]; /* the minimum was passed: rest for a step */
        size[i] = raised < most ? raised : most;
        previous[i] = g;
        p[i] -= g > 0 ? size[i] : g < 0 ? -size[i] : 0;
    }
}

const thaw_optimizer_module thaw_optimizer_rprop = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "rprop",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ [PREVIOUS] = "prev", [SIZE] = "step_size" },
    .slot_count = 2,
    .check = check,
    .begin = begin,
    .update = update,
};
