#include "params/optimizer.h"
#include "support/optimizers.h"

Test(lars, equals_the_paper_after_100_steps)
{
    support_assert_equals_pytorch("lars");
}

/* Biases and scales: momentum alone. */
Test(lars, neither_scales_nor_decays_parameters_of_rank_1)
{
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create(context, "lars:lr=0.1,weight_decay=0.5", &optimizer));
    const thaw_shape shapes[] = { { .rank = 1, .dims = { 5 } }, { .rank = 2, .dims = { 1, 5 } } };
    for (int matrix = 0; matrix < 2; matrix++) {
        const double own[] = { 4, 16 };
        double scalars[THAW_MAX_HYPERPARAMETERS] = { 0 };
        const thaw_conclusion sums = { .own = own, .hyperparameter = optimizer->values, .shape = &shapes[matrix] };
        optimizer->module->conclude(&sums, scalars);
        cr_assert(scalars[2] == (matrix ? 0.5 : 0), "weight decay");
        cr_assert(scalars[4] == (matrix ? 1e-3 * 0.5 : 1), "ratio");
    }
    thaw_optimizer_destroy(optimizer);
    thaw_context_destroy(context);
}
