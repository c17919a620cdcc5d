#include "support/matrices.h"

Test(schedule_free, adamw_equals_its_authors_code_after_20_steps)
{
    matrices_assert_golden("schedule-free-adamw", 1e-5);
}

Test(schedule_free, sgd_equals_its_authors_code_after_20_steps)
{
    matrices_assert_golden("schedule-free-sgd", 1e-5);
}

Test(schedule_free, is_the_same_to_the_bit_for_any_number_of_threads)
{
    matrices_assert_threads_agree("schedule-free-adamw:weight_decay=0.1,warmup_steps=3");
}

Test(schedule_free, refuses_what_has_no_view)
{
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer;
    assert_fails(context, thaw_optimizer_create(context, "schedule-free-sgd:momentum=0", &optimizer),
                 THAW_INVALID_ARGUMENT, "momentum is 0, must be from");
    thaw_context_destroy(context);
}
