#include "support/matrices.h"

Test(prodigy, equals_the_paper_after_20_steps)
{
    matrices_assert_golden("prodigy", 1e-5);
}

Test(prodigy, is_the_same_to_the_bit_for_any_number_of_threads)
{
    matrices_assert_threads_agree("prodigy:d0=1e-3,weight_decay=0.1");
}

Test(prodigy, stands_still_without_a_gradient)
{
    thaw_context *context = support_context(1);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 1 }, 1);
    parameters_optimize(&set, 0, 1, "prodigy:weight_decay=0.5");
    thaw_update_list *list = parameters_list(&set, 0, 1);
    const float before = *set.parameters[0]->data;
    *set.parameters[0]->gradient = 0;
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    cr_assert_eq(*set.parameters[0]->data, before);
    *set.parameters[0]->gradient = 3;
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    cr_assert_neq(*set.parameters[0]->data, before);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(prodigy, refuses_values_that_mean_nothing)
{
    static const char *const cases[][2] = {
        { "prodigy:growth_rate=0.5", "growth_rate must be at least 1" },
        { "prodigy:use_bias_correction=0.5", "must be 0 or 1" },
        { "prodigy:decouple=0.5", "must be 0 or 1" },
        { "prodigy:safeguard_warmup=0.5", "must be 0 or 1" },
        { "prodigy:d0=0", "d0 is 0, must be from" },
    };
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer;
    for (size_t i = 0; i < THAW_COUNT(cases); i++)
        assert_fails(context, thaw_optimizer_create(context, cases[i][0], &optimizer), THAW_INVALID_ARGUMENT,
                     cases[i][1]);
    thaw_context_destroy(context);
}
