#include <stdio.h>
#include <stdlib.h>

#include "params/optimizer.h"
#include "support/optimizers.h"

static thaw_optimizer *load(thaw_context *context, const char *settings)
{
    char description[1024];
    thaw_optimizer *optimizer = NULL;
    snprintf(description, sizeof description, "%s/lion.so%s", getenv("THAW_EXAMPLES"), settings);
    assert_ok(context, thaw_optimizer_create(context, description, &optimizer));
    return optimizer;
}

Test(lion, has_the_papers_defaults)
{
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer = load(context, "");
    cr_assert_str_eq(thaw_optimizer_module_of(optimizer)->name, "lion");
    cr_assert(thaw_optimizer_get(optimizer, "lr") == 1e-4);
    cr_assert(thaw_optimizer_get(optimizer, "beta1") == 0.9);
    cr_assert(thaw_optimizer_get(optimizer, "beta2") == 0.99);
    cr_assert(thaw_optimizer_get(optimizer, "weight_decay") == 0);
    thaw_optimizer_destroy(optimizer);
    thaw_context_destroy(context);
}

/* Algorithm 2 of the paper, in double. */
static void step_as_published(double *p, double *m, const float *g, size_t count, double lr, double decay)
{
    for (size_t i = 0; i < count; i++) {
        const double c = 0.95 * m[i] + (1 - 0.95) * (double)g[i];
        p[i] -= lr * (((c > 0) - (c < 0)) + decay * p[i]);
        m[i] = 0.98 * m[i] + (1 - 0.98) * (double)g[i];
    }
}

Test(lion, follows_the_paper)
{
    enum { COUNT = 77 };
    thaw_context *context = support_context(1);
    thaw_optimizer *optimizer = load(context, ":lr=1e-2,beta1=0.95,beta2=0.98,weight_decay=0.5");
    optimizer_arrays arrays = support_arrays_create(optimizer, COUNT);
    double p[COUNT], m[COUNT] = { 0 };
    for (size_t i = 0; i < COUNT; i++)
        p[i] = (double)arrays.parameter[i];
    for (uint32_t step = 1; step <= 50; step++) {
        support_fill(arrays.gradient, COUNT, step);
        arrays.gradient[step % COUNT] = 0;
        step_as_published(p, m, arrays.gradient, COUNT, 1e-2, 0.5);
        support_update(optimizer, optimizer->module, &arrays, step, 0, COUNT);
    }
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert_float_eq((double)arrays.parameter[i], p[i], 1e-6, "parameter[%zu]: %.9g, expected %.9g", i,
                           (double)arrays.parameter[i], p[i]);
        cr_assert_float_eq((double)arrays.slot[0][i], m[i], 1e-6);
    }
    support_arrays_destroy(&arrays);
    thaw_optimizer_destroy(optimizer);
    thaw_context_destroy(context);
}

Test(lion, two_optimizers_share_the_object_and_outlive_each_other)
{
    thaw_context *context = support_context(1);
    thaw_optimizer *first = load(context, ":lr=1"), *second = load(context, ":lr=2");
    cr_assert_eq(first->module, second->module);
    thaw_optimizer_destroy(first);
    cr_assert(thaw_optimizer_get(second, "lr") == 2);
    thaw_optimizer_destroy(second);
    thaw_context_destroy(context);
}

Test(lion, a_failed_setting_lets_go_of_the_object)
{
    thaw_context *context = support_context(1);
    char description[1024];
    thaw_optimizer *optimizer = NULL;
    snprintf(description, sizeof description, "%s/lion.so:beta3=1", getenv("THAW_EXAMPLES"));
    assert_fails(context, thaw_optimizer_create(context, description, &optimizer), THAW_NOT_FOUND,
                 "lr, beta1, beta2, weight_decay");
    cr_assert_null(optimizer);
    thaw_context_destroy(context);
}

/* A shared object that is sound and no optimizer: the library under test itself. */
Test(lion, an_object_without_a_module_is_refused)
{
    thaw_context *context = support_context(1);
    char path[1024];
    thaw_optimizer *optimizer = NULL;
    snprintf(path, sizeof path, "%s/../libthaw.so", getenv("THAW_EXAMPLES"));
    assert_fails(context, thaw_optimizer_create(context, path, &optimizer), THAW_BAD_FORMAT,
                 "does not define thaw_module");
    thaw_context_destroy(context);
}
