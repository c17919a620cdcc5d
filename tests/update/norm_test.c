/* The norm of all gradients together. */
#include <math.h>

#include "support/parameters.h"

static const size_t sizes[] = { 1, 15, 16, 17, 63, 100003, 64, 65, 4096, 4097, 2 };
enum { COUNT = THAW_COUNT(sizes) };

static double norm_of(int threads, float factor, float planted)
{
    thaw_context *context = support_context(threads);
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    parameters_fill_gradients(&set, 9);
    long double sum = 0;
    for (size_t i = 0; i < COUNT; i++)
        for (size_t e = 0; e < sizes[i]; e++) {
            float *g = &set.parameters[i]->gradient[e];
            *g *= factor;
            sum += (long double)*g * (long double)*g;
        }
    double norm = thaw_update_list_norm(list);
    const long double expected = sqrtl(sum);
    cr_assert(fabsl((long double)norm - expected) <= 1e-13L * expected, "norm %.17g, wanted %.17Lg", norm, expected);
    if (planted != 0) {
        set.parameters[5]->gradient[99999] = planted;
        norm = thaw_update_list_norm(list);
    }
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
    return norm;
}

Test(norm, is_the_same_for_any_number_of_threads)
{
    const double expected = norm_of(1, 1, 0);
    for (int threads = 2; threads <= 7; threads++)
        cr_assert_eq(norm_of(threads, 1, 0), expected, "%d threads", threads);
}

Test(norm, neither_overflows_nor_vanishes)
{
    cr_assert_gt(norm_of(2, 1e37F, 0), 1e38);
    cr_assert_gt(norm_of(2, 1e-37F, 0), 1e-36);
}

Test(norm, shows_what_is_not_finite)
{
    cr_assert(isnan(norm_of(2, 1, NAN)));
    cr_assert(isinf(norm_of(2, 1, INFINITY)));
    cr_assert(isinf(norm_of(2, 1, -INFINITY)));
}

/* Anywhere in the list, and for any cut of it among threads. */
Test(norm, has_a_cheaper_check_that_all_is_finite)
{
    static const float planted[] = { NAN, -NAN, INFINITY, -INFINITY };
    static const size_t parameters[] = { 0, 5, 5, 9, 10 }, places[] = { 0, 0, 100002, 4096, 1 };
    for (int threads = 1; threads <= 3; threads++) {
        thaw_context *context = support_context(threads);
        thaw_parameter_set set = parameters_create(context, sizes, COUNT);
        thaw_update_list *list = parameters_list(&set, 0, COUNT);
        parameters_fill_gradients(&set, 9);
        set.parameters[5]->gradient[7] = 3.4e38F; /* the sum of squares of two is no float */
        set.parameters[5]->gradient[8] = 3.4e38F;
        set.parameters[5]->gradient[9] = 1e-45F;
        cr_assert(thaw_update_list_finite(list, NULL));
        for (size_t i = 0; i < THAW_COUNT(places); i++)
            for (size_t k = 0; k < THAW_COUNT(planted); k++) {
                float *place = &set.parameters[parameters[i]]->gradient[places[i]];
                const float kept = *place;
                *place = planted[k];
                cr_assert_not(thaw_update_list_finite(list, NULL), "%g at %zu of parameter %zu", (double)planted[k],
                              places[i], parameters[i]);
                *place = kept;
            }
        cr_assert(thaw_update_list_finite(list, NULL));
        thaw_update_list_release(list);
        thaw_set_release(&set);
        thaw_context_destroy(context);
    }
}
