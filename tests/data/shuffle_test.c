#include "data/shuffle.h"

#include <string.h>

#include "support/support.h"

enum { MOST = 1000 };

static thaw_context *context;

static void begin(void)
{
    context = support_context(1);
}

static void end(void)
{
    thaw_context_destroy(context);
}

TestSuite(shuffle, .init = begin, .fini = end);

Test(shuffle, is_a_permutation_of_any_length)
{
    static size_t order[MOST];
    for (size_t count = 0; count < MOST; count += count < 300 ? 1 : 97) {
        bool seen[MOST] = { false };
        thaw_shuffle(context, 7, count, order, count);
        for (size_t i = 0; i < count; i++) {
            cr_assert_lt(order[i], count);
            cr_assert(!seen[order[i]], "%zu comes twice", order[i]);
            seen[order[i]] = true;
        }
    }
}

Test(shuffle, follows_seed_and_epoch_alone)
{
    static size_t one[MOST], other[MOST];
    thaw_shuffle(context, 1, 2, one, MOST);
    thaw_shuffle(context, 1, 2, other, MOST);
    cr_assert_eq(memcmp(one, other, sizeof one), 0);
    thaw_shuffle(context, 1, 3, other, MOST);
    cr_assert_neq(memcmp(one, other, sizeof one), 0);
    thaw_shuffle(context, 2, 2, other, MOST);
    cr_assert_neq(memcmp(one, other, sizeof one), 0);
}

Test(shuffle, makes_every_order_equally_often)
{
    /* 24 orders of 4, 24000 epochs: each comes 1000 times, with a standard deviation of 31. The sum of squared
       deviations over the mean is chi-squared with 23 degrees of freedom, and above 50 once in a thousand seeds. */
    size_t counts[256] = { 0 };
    for (uint64_t epoch = 0; epoch < 24000; epoch++) {
        size_t order[4];
        thaw_shuffle(context, 3, epoch, order, 4);
        counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
    }
    double deviation = 0;
    size_t orders = 0;
    for (size_t i = 0; i < 256; i++) {
        if (counts[i] == 0)
            continue;
        const double difference = (double)counts[i] - 1000;
        deviation += difference * difference / 1000;
        orders++;
    }
    cr_assert_eq(orders, 24);
    cr_assert_lt(deviation, 50, "%g", deviation);
}
