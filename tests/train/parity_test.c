/* Whole training runs beside PyTorch's: tests/golden/training.py made the losses. */
#include <math.h>

#include "support/golden.h"
#include "support/parity_network.h"

static void compare(const char *run, const char *optimizer_description, const char *frozen)
{
    double expected[PARITY_STEPS];
    golden_losses("training.txt", run, expected, PARITY_STEPS);
    thaw_context *context = support_context(2);
    thaw_model *model = support_parity_network(context);
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create(context, optimizer_description, &optimizer));
    assert_ok(context, thaw_select_optimizer(model, "*", optimizer));
    thaw_optimizer_destroy(optimizer);
    if (frozen != NULL)
        assert_ok(context, thaw_model_freeze(model, frozen));
    for (uint32_t step = 0; step < PARITY_STEPS; step++) {
        const double loss = support_parity_step(model, step, 0);
        cr_assert(fabs(loss - expected[step]) <= 1e-4 * expected[step], "%s, step %u: loss %.9g, PyTorch's %.9g", run,
                  step + 1, loss, expected[step]);
    }
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

static const char sgd[] = "sgd:lr=0.05,momentum=0.9,weight_decay=1e-3";
static const char adam[] = "adam:lr=2e-2";
static const char rmsprop[] = "rmsprop:lr=1e-2";

Test(parity, sgd_with_everything_trainable)
{
    compare("sgd", sgd, NULL);
}

Test(parity, adam_with_everything_trainable)
{
    compare("adam", adam, NULL);
}

Test(parity, rmsprop_with_everything_trainable)
{
    compare("rmsprop", rmsprop, NULL);
}

Test(parity, sgd_with_frozen_convolutions)
{
    compare("sgd frozen", sgd, "conv*");
}

Test(parity, adam_with_frozen_convolutions)
{
    compare("adam frozen", adam, "conv*");
}

Test(parity, rmsprop_with_frozen_convolutions)
{
    compare("rmsprop frozen", rmsprop, "conv*");
}

Test(parity, adam_with_the_first_convolution_frozen)
{
    compare("adam first", adam, "conv1");
}
