#include "support/optimizers.h"

Test(radam, equals_pytorch_after_100_steps)
{
    support_assert_equals_pytorch("radam");
}

Test(radam, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "radam:lr=0.1",
        "radam:lr=0.1,beta2=0.9,weight_decay=0.1",
        "radam:lr=0.1,beta2=0.9,decoupled_weight_decay=1,weight_decay=0.1",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}
