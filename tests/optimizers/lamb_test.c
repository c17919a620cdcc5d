#include "support/optimizers.h"

Test(lamb, equals_the_paper_after_100_steps)
{
    support_assert_equals_pytorch("lamb");
}
