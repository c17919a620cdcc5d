#include "support/optimizers.h"

Test(lion, equals_the_paper_after_100_steps)
{
    support_assert_equals_pytorch("lion");
}

Test(lion, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "lion:lr=0.1",
        "lion:lr=0.1,weight_decay=0.1",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}
