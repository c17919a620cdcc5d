#include "support/optimizers.h"

Test(nadam, equals_pytorch_after_100_steps)
{
    support_assert_equals_pytorch("nadam");
}

Test(nadam, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "nadam:lr=0.1",
        "nadam:lr=0.1,weight_decay=0.1",
        "nadam:lr=0.1,weight_decay=0.1,decoupled_weight_decay=1",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}
