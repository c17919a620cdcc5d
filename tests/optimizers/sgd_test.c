#include "params/module_source.h"
#include "params/optimizer.h"
#include "support/optimizers.h"

Test(sgd, equals_pytorch_after_100_steps)
{
    support_assert_equals_pytorch("sgd");
}

Test(sgd, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "sgd:lr=0.1",
        "sgd:lr=0.1,weight_decay=0.1",
        "sgd:momentum=0.9,dampening=0.5,lr=0.1",
        "sgd:momentum=0.9,nesterov=1,lr=0.1,weight_decay=0.01",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}

/* One element, by hand: gradient 2, then 1. */
Test(sgd, first_gradient_is_not_dampened)
{
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create(context, "sgd:lr=0.5,momentum=0.5,dampening=0.75", &optimizer));
    optimizer_arrays arrays = support_arrays_create(optimizer, 1);
    arrays.parameter[0] = 8;
    arrays.gradient[0] = 2;
    support_update(optimizer, optimizer->module, &arrays, 1, 0, 1);
    cr_assert(arrays.slot[0][0] == 2 && arrays.parameter[0] == 7);
    arrays.gradient[0] = 1;
    support_update(optimizer, optimizer->module, &arrays, 2, 0, 1);
    cr_assert(arrays.slot[0][0] == 1.25F && arrays.parameter[0] == 6.375F);
    support_arrays_destroy(&arrays);
    thaw_optimizer_destroy(optimizer);
    thaw_context_destroy(context);
}

Test(sgd, has_a_buffer_only_with_momentum)
{
    thaw_context *context = support_context(1);
    const thaw_optimizer_module *module = NULL;
    assert_ok(context, thaw_builtin_module_find(context, "sgd", &module));
    cr_assert_eq(module->slot_count, 1);
    cr_assert_not(module->uses_slot((double[]){ 0.1, 0, 0, 0, 0 }, 0));
    cr_assert(module->uses_slot((double[]){ 0.1, 0.9, 0, 0, 0 }, 0));
    thaw_context_destroy(context);
}
