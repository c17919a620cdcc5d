#include "support/optimizers.h"

Test(adan, equals_the_paper_after_100_steps)
{
    support_assert_equals_pytorch("adan");
}

Test(adan, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "adan:lr=0.1",
        "adan:lr=0.1,weight_decay=0.1",
        "adan:lr=0.1,weight_decay=0.1,no_prox=1",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}
