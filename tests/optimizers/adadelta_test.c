#include "support/optimizers.h"

Test(adadelta, equals_pytorch_after_100_steps)
{
    support_assert_equals_pytorch("adadelta");
}

Test(adadelta, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "adadelta",
        "adadelta:rho=0.5,weight_decay=0.1",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}
