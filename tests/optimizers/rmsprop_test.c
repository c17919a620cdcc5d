#include "params/optimizer.h"
#include "support/optimizers.h"

Test(rmsprop, equals_pytorch_after_100_steps)
{
    support_assert_equals_pytorch("rmsprop");
}

Test(rmsprop, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "rmsprop:lr=0.1",
        "rmsprop:lr=0.1,momentum=0.9,weight_decay=0.1",
        "rmsprop:lr=0.1,centered=1",
        "rmsprop:lr=0.1,centered=1,momentum=0.9",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}

/* A constant gradient leaves a variance of zero, which rounding takes below it. */
Test(rmsprop, centered_deviation_of_a_constant_gradient_is_a_number)
{
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create(context, "rmsprop:lr=1e-3,alpha=0.5,centered=1,eps=1e-3", &optimizer));
    optimizer_arrays arrays = support_arrays_create(optimizer, 64);
    for (size_t i = 0; i < arrays.count; i++)
        arrays.gradient[i] = 0.1F + 0.013F * (float)i;
    bool negative = false;
    for (uint64_t step = 1; step <= 200; step++) {
        support_update(optimizer, optimizer->module, &arrays, step, 0, arrays.count);
        for (size_t i = 0; i < arrays.count; i++) {
            negative |= arrays.slot[0][i] - arrays.slot[1][i] * arrays.slot[1][i] < 0;
            cr_assert(arrays.parameter[i] - arrays.parameter[i] == 0, "step %zu: %g", (size_t)step,
                      (double)arrays.parameter[i]);
        }
    }
    cr_assert(negative, "the case never came up");
    support_arrays_destroy(&arrays);
    thaw_optimizer_destroy(optimizer);
    thaw_context_destroy(context);
}
