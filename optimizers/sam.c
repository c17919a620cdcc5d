/* SAM: takes each step of another optimizer with the gradient at the weights nearby where the loss is the highest, as far
   as the gradient can tell: a second pass over the batch. Foret et al. 2021, arXiv 2010.01412, algorithm 1; adaptive=1:
   ASAM, Kwon et al. 2021, arXiv 2102.11600. Names and order of operations are those of the most used implementation
   (davda54/sam); a parameter whose optimizer has no wrapper sam stays where it is in the second pass. Running statistics
   follow the second pass. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { RHO, ADAPTIVE, SCALE };

static const thaw_hyperparameter hyperparameters[] = {
    [RHO] = { "rho", 0.05, 0, INFINITY },
    [ADAPTIVE] = { "adaptive", 0, 0, 1 },
};

static const char *check(const double *h)
{
    return h[ADAPTIVE] == 0 || h[ADAPTIVE] == 1 ? NULL : "adaptive must be 0 or 1";
}

static void sums(const thaw_update *u, double *sums)
{
    enum { CHUNK = 512 };
    float scaled[CHUNK];
    if (u->hyperparameter[ADAPTIVE] == 0) {
        sums[0] += thaw_sum_of_squares(u->gradient, u->count);
        return;
    }
    for (size_t first = 0; first < u->count; first += CHUNK) {
        const size_t count = u->count - first < CHUNK ? u->count - first : CHUNK;
        for (size_t i = 0; i < count; i++)
            scaled[i] = u->parameter[first + i] * u->gradient[first + i];
        sums[0] += thaw_sum_of_squares(scaled, count);
    }
}

static void conclude(const thaw_conclusion *c, double *scalars)
{
    scalars[SCALE] = c->hyperparameter[RHO] / (sqrt(c->all[0]) + 1e-12);
}

static void perturb(const thaw_update *u)
{
    const bool adaptive = u->hyperparameter[ADAPTIVE] != 0;
    const float scale = u->scalar[SCALE];
    const float *restrict g = u->gradient;
    float *restrict p = u->parameter;
    for (size_t i = 0; i < u->count; i++)
        p[i] += scale * (adaptive ? p[i] * p[i] * g[i] : g[i]);
}

const thaw_optimizer_module thaw_optimizer_sam = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "sam",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .check = check,
    .wraps = true,
    .sum_count = 1,
    .sums = sums,
    .conclude = conclude,
    .perturb = perturb,
};
