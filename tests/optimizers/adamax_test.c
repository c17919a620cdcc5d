#include "support/optimizers.h"

Test(adamax, equals_pytorch_after_100_steps)
{
    support_assert_equals_pytorch("adamax");
}

Test(adamax, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "adamax:lr=0.1",
        "adamax:lr=0.1,weight_decay=0.1,beta2=0.5",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}
