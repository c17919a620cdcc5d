/* Training where OpenMP starts fewer threads than are asked for. tests/meson.build sets OMP_THREAD_LIMIT to 2 and
   OMP_DYNAMIC. */
#include <stdlib.h>
#include <string.h>

#include "support/network.h"

enum { STEPS = 5, BATCH = 16 };

static float *train(int threads, size_t *count)
{
    thaw_context *context = support_context(threads);
    cr_assert_eq(thaw_context_threads(context), threads < 2 ? threads : 2, "%d threads where 2 may run",
                 thaw_context_threads(context));
    thaw_model *model = support_network(context, true);
    support_optimize(model, "adam");
    for (uint32_t step = 0; step < STEPS; step++)
        assert_ok(context, support_step(model, BATCH, step, &(thaw_step_options){ .clip_norm = 1 }, NULL));
    float *weights = support_weights(model, count);
    thaw_model_destroy(model);
    thaw_context_destroy(context);
    return weights;
}

Test(team_limit, training_neither_waits_for_missing_threads_nor_works_twice)
{
    cr_assert_not_null(getenv("OMP_THREAD_LIMIT"), "run by meson test");
    size_t count;
    float *two = train(2, &count), *seven = train(7, &count);
    cr_assert_eq(memcmp(two, seven, count * sizeof(float)), 0);
    free(seven);
    free(two);
}
