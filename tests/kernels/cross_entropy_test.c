/* Rows of logits at each level of the CPU, against sums in double. */
#include "kernels/cross_entropy.h"

#include <math.h>
#include <stdlib.h>

#include "support/support.h"

enum { MOST = 3001 };

static const size_t counts[] = { 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 63, 100, 1023, 1024, 1025, 2047, MOST };

/* Rises, so that the largest changes from block to block, or falls. */
static void fill(float *logits, size_t count, bool rises)
{
    support_fill(logits, count, 3);
    for (size_t i = 0; i < count; i++)
        logits[i] = 5 * logits[i] + 0.02F * (float)(rises ? i : count - i);
}

static void check(const thaw_cross_entropy_functions *loops, size_t count, bool rises, bool weighted)
{
    static float logits[MOST], weights[MOST], gradient[MOST + 1];
    double largest = -INFINITY, sum = 0, total = 0;
    fill(logits, count, rises);
    support_fill(weights, count, 4);
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, (double)logits[i]);
    for (size_t i = 0; i < count; i++) {
        sum += exp((double)logits[i] - largest);
        total += (double)logits[i] * (weighted ? (double)weights[i] : 1);
    }
    const thaw_logit_row row = loops->measure(logits, weighted ? weights : NULL, count, true);
    cr_assert_eq((double)row.largest, largest, "%zu: %g, not %g", count, (double)row.largest, largest);
    cr_assert_float_eq(row.sum, sum, 1e-6 * sum, "%zu: %.9g, not %.9g", count, row.sum, sum);
    cr_assert_float_eq(row.total, total, 2e-6 * 30 * (double)count, "%zu: %.9g, not %.9g", count, row.total, total);
    gradient[count] = 77;
    loops->differentiate(logits, weighted ? weights : NULL, count, row.largest, 0.75F, 0.5F, gradient);
    for (size_t i = 0; i < count; i++) {
        const double wanted = 0.75 * exp((double)logits[i] - largest) - 0.5 * (weighted ? (double)weights[i] : 1);
        cr_assert_float_eq((double)gradient[i], wanted, 3e-7, "%zu of %zu: %.9g, not %.9g", i, count,
                           (double)gradient[i], wanted);
    }
    cr_assert_eq((double)gradient[count], 77);
}

Test(cross_entropy, of_rows_of_any_length_is_right_at_each_level)
{
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (size_t i = 0; i < THAW_COUNT(counts); i++)
            for (int k = 0; k < 4; k++)
                check(THAW_FOR_LEVEL(level, &thaw_cross_entropy_loops), counts[i], k & 1, k & 2);
}
