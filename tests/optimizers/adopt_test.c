#include "support/optimizers.h"

Test(adopt, equals_the_paper_after_100_steps)
{
    support_assert_equals_pytorch("adopt");
}

Test(adopt, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "adopt:lr=0.1",
        "adopt:lr=0.1,weight_decay=0.1",
        "adopt:lr=0.1,weight_decay=0.1,decouple=1",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}
