/* Points that fill a cube evenly. */
#include <math.h>

#include "compare/halton.h"
#include "support/support.h"

static const unsigned primes[THAW_MOST_COORDINATES] = { 2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53 };

/* Which of so many equal parts of the range a value is in. */
static unsigned part_of(double value, unsigned parts)
{
    cr_assert(value >= 0 && value < 1, "%.17g", value);
    return (unsigned)(value * parts);
}

/* Of b points in a row, one in each part; of b times b, one in each smaller one. */
Test(halton, has_a_point_in_each_part_of_a_range)
{
    thaw_context *context = support_context(1);
    for (unsigned c = 0; c < THAW_MOST_COORDINATES; c++)
        for (unsigned power = 1; power <= 2; power++) {
            const unsigned parts = power == 1 ? primes[c] : primes[c] * primes[c];
            bool taken[53 * 53] = { false };
            for (unsigned i = 0; i < parts; i++) {
                const unsigned part = part_of(thaw_halton(context, 7, c, 5 * parts + i), parts);
                cr_assert(!taken[part], "coordinate %u: part %u of %u twice", c, part, parts);
                taken[part] = true;
            }
        }
    thaw_context_destroy(context);
}

/* Of 11 times 13 points, one in each box: what plain sequences of large primes fill last. */
Test(halton, has_a_point_in_each_box_of_two_coordinates)
{
    enum { FOUR = 4, FIVE = 5 };
    thaw_context *context = support_context(1);
    bool taken[11][13] = { { false } };
    for (unsigned i = 0; i < 11 * 13; i++) {
        const unsigned row = part_of(thaw_halton(context, 1, FOUR, i), 11);
        const unsigned column = part_of(thaw_halton(context, 1, FIVE, i), 13);
        cr_assert(!taken[row][column]);
        taken[row][column] = true;
    }
    thaw_context_destroy(context);
}

/* Each point by itself is uniform over seeds, also the first one; and its coordinates are not alike. */
Test(halton, is_uniform_over_seeds)
{
    enum { SEEDS = 4000, CELLS = 8 };
    thaw_context *context = support_context(1);
    for (unsigned point = 0; point < 3; point++) {
        unsigned counts[CELLS][CELLS] = { { 0 } };
        for (uint64_t seed = 0; seed < SEEDS; seed++)
            counts[part_of(thaw_halton(context, seed, 0, point), CELLS)]
                  [part_of(thaw_halton(context, seed, 9, point), CELLS)]++;
        double chi = 0;
        const double wanted = (double)SEEDS / (CELLS * CELLS);
        for (unsigned i = 0; i < CELLS * CELLS; i++)
            chi += pow(counts[i / CELLS][i % CELLS] - wanted, 2) / wanted;
        cr_assert_lt(chi, 63 + 4 * sqrt(2 * 63.0), "point %u: %g", point, chi);
    }
    thaw_context_destroy(context);
}
