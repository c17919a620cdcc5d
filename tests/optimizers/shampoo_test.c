#include "support/matrices.h"

Test(shampoo, equals_its_algorithm_after_20_steps)
{
    matrices_assert_separated_golden("shampoo", 1e-5);
}

Test(shampoo, is_the_same_to_the_bit_for_any_number_of_threads)
{
    matrices_assert_threads_agree("shampoo:epsilon=0.01,precondition_frequency=2");
    matrices_assert_threads_agree("shampoo:epsilon=0.01,max_preconditioner_dim=200,momentum=0.9");
}

Test(shampoo, refuses_settings_that_mean_nothing)
{
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer;
    assert_fails(context, thaw_optimizer_create(context, "shampoo:precondition_frequency=1.5", &optimizer),
                 THAW_INVALID_ARGUMENT, "precondition_frequency must be whole");
    assert_fails(context, thaw_optimizer_create(context, "shampoo:use_nesterov=0.5", &optimizer), THAW_INVALID_ARGUMENT,
                 "use_nesterov must be 0 or 1");
    assert_fails(context, thaw_optimizer_create(context, "shampoo:use_bias_correction=0.5", &optimizer),
                 THAW_INVALID_ARGUMENT, "use_bias_correction must be 0 or 1");
    assert_fails(context, thaw_optimizer_create(context, "shampoo:use_decoupled_weight_decay=0.5", &optimizer),
                 THAW_INVALID_ARGUMENT, "use_decoupled_weight_decay must be 0 or 1");
    thaw_context_destroy(context);
}
