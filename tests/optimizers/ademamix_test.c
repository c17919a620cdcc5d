#include "support/optimizers.h"

Test(ademamix, equals_the_paper_after_100_steps)
{
    support_assert_equals_pytorch("ademamix");
}

Test(ademamix, spans_and_builds_agree_to_the_bit)
{
    static const char *const descriptions[] = {
        "ademamix:lr=0.1",
        "ademamix:lr=0.1,weight_decay=0.1,alpha_warmup=5,beta3_warmup=5",
    };
    for (size_t i = 0; i < THAW_COUNT(descriptions); i++)
        support_assert_spans_agree(descriptions[i]);
}
