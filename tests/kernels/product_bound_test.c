#include <math.h>

#include "kernels/product_bound.h"
#include "support/support.h"

enum { COUNT = 40003 };

static float left[COUNT], right[COUNT];

/* FLT_MAX / 2 is just below 2^127. */
Test(product_bound, is_half_of_the_largest_float)
{
    thaw_context *context = support_context(1);
    const float a[] = { 1, -0x1p63F, 0 }, b[] = { -0x1p62F, 3 };
    cr_assert(thaw_products_are_finite(context, 1, a, 3, b, 2));
    cr_assert(thaw_products_are_finite(context, 3, a, 3, b, 2));
    cr_assert_not(thaw_products_are_finite(context, 4, a, 3, b, 2));
    cr_assert(thaw_products_are_finite(context, 1 << 22, b, 2, b + 1, 1));
    cr_assert_not(thaw_products_are_finite(context, (1 << 22) + 1, b, 2, b + 1, 1), "too many roundings");
    thaw_context_destroy(context);
}

Test(product_bound, sees_what_is_not_finite_or_large_anywhere)
{
    static const float planted[] = { NAN, -NAN, INFINITY, -INFINITY, 3e38F, -3e38F };
    static const size_t places[] = { 0, 1, 9999, 10000, 20001, 39999, COUNT - 1 };
    support_fill(left, COUNT, 1);
    support_fill(right, COUNT, 2);
    for (int threads = 1; threads <= 3; threads++) {
        thaw_context *context = support_context(threads);
        cr_assert(thaw_products_are_finite(context, 1000, left, COUNT, right, COUNT));
        for (size_t i = 0; i < THAW_COUNT(places); i++)
            for (size_t k = 0; k < THAW_COUNT(planted); k++) {
                const float kept = left[places[i]];
                left[places[i]] = planted[k];
                cr_assert_not(thaw_products_are_finite(context, 1000, left, COUNT, right, COUNT), "%g at %zu",
                              (double)planted[k], places[i]);
                cr_assert_not(thaw_products_are_finite(context, 1000, right, COUNT, left, COUNT), "%g at %zu",
                              (double)planted[k], places[i]);
                left[places[i]] = kept;
            }
        thaw_context_destroy(context);
    }
}
