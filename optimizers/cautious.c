/* Cautious: of the step of another optimizer, takes only the elements that go down along the gradient of this step, and
   scales them up to make up for the others: the mask is divided by its mean over the parameter. Liang et al. 2024, arXiv
   2411.16085, algorithm 1, with the mean's lower bound of its authors' code. The step is all that the other optimizer has
   done, including decoupled weight decay, which that code leaves out. */
#include <math.h>
#include <thaw/optimizer_module.h>

enum { EPS, SCALE };
enum { AGREEING, ALL }; /* sums: elements */

static const thaw_hyperparameter hyperparameters[] = { [EPS] = { "eps", 1e-3, 0x1p-126, 1 } };

static inline bool agrees(const thaw_update *u, size_t i)
{
    return (u->parameter[i] - u->before[i]) * u->gradient[i] < 0;
}

static void sums(const thaw_update *u, double *sums)
{
    size_t agreeing = 0;
    for (size_t i = 0; i < u->count; i++)
        agreeing += agrees(u, i);
    sums[AGREEING] += (double)agreeing;
    sums[ALL] += (double)u->count;
}

static void conclude(const thaw_conclusion *c, double *scalars)
{
    scalars[SCALE] = 1 / fmax(c->own[AGREEING] / fmax(c->own[ALL], 1), c->hyperparameter[EPS]);
}

static void update(const thaw_update *u)
{
    const float scale = u->scalar[SCALE];
    for (size_t i = 0; i < u->count; i++) {
        const float before = u->before[i], step = u->parameter[i] - before;
        u->parameter[i] = agrees(u, i) ? before + scale * step : before;
    }
}

const thaw_optimizer_module thaw_optimizer_cautious = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "cautious",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .wraps = true,
    .compares = true,
    .sum_count = 2,
    .sums = sums,
    .conclude = conclude,
    .update = update,
};
