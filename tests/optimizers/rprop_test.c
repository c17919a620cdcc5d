#include "support/optimizers.h"

Test(rprop, equals_pytorch_after_100_steps)
{
    support_assert_equals_pytorch("rprop");
}

Test(rprop, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "rprop",
        "rprop:lr=0.1,eta_minus=0.3,step_size_min=0.01",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}
