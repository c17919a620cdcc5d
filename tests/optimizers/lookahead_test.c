#include "support/matrices.h"

Test(lookahead, equals_the_paper_around_any_optimizer)
{
    matrices_assert_golden("lookahead", 1e-5);
}
