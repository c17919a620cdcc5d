#include "support/matrices.h"

Test(muon, equals_pytorch_without_its_rounding_after_20_steps)
{
    matrices_assert_golden("muon", 1e-5);
}

Test(muon, is_the_same_to_the_bit_for_any_number_of_threads)
{
    matrices_assert_threads_agree("muon:lr=0.02");
}

Test(muon, refuses_settings_that_mean_nothing)
{
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer;
    assert_fails(context, thaw_optimizer_create(context, "muon:ns_steps=1.5", &optimizer), THAW_INVALID_ARGUMENT,
                 "ns_steps must be whole");
    assert_fails(context, thaw_optimizer_create(context, "muon:nesterov=0.5", &optimizer), THAW_INVALID_ARGUMENT,
                 "nesterov must be 0 or 1");
    assert_fails(context, thaw_optimizer_create(context, "muon:match_rms_adamw=0.5", &optimizer), THAW_INVALID_ARGUMENT,
                 "match_rms_adamw must be 0 or 1");
    thaw_context_destroy(context);
}
