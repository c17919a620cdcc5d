/* The limit of the CPU's instructions: which level a context gets, and that kernels and optimizers keep to it. */
#include "core/cpu.h"

#include <stdlib.h>
#include <string.h>

#include "core/context.h"
#include "kernels/outer_products.h"
#include "kernels/outer_products_loops.h"
#include "kernels/recurrent_kernels.h"
#include "kernels/row_product.h"
#include "params/module_source.h"
#include "support/sanitized.h"
#include "support/support.h"

#ifdef ADDRESSES_ARE_WATCHED /* built without fusing products with sums */
static const bool levels_differ = false;
#else
static const bool levels_differ = true;
#endif

static thaw_context *limited(thaw_cpu_level most)
{
    thaw_context *context = NULL;
    const thaw_context_options options = { .threads = 2, .max_cpu = most };
    cr_assert_eq(thaw_context_create(&options, &context), THAW_OK);
    return context;
}

/* What the machine has, asked without the library. */
static thaw_cpu_level machine(void)
{
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq"))
        return __builtin_cpu_supports("avx512bf16") ? THAW_CPU_V4_BF16 : THAW_CPU_V4;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return THAW_CPU_V3;
#endif
    return THAW_CPU_BASELINE;
}

Test(cpu, a_context_has_the_lower_level_of_the_machines_and_the_limit)
{
    for (thaw_cpu_level most = THAW_CPU_HIGHEST; most <= THAW_CPU_V4; most++) {
        thaw_context *context = limited(most);
        const bool unlimited = most == THAW_CPU_HIGHEST || most > machine();
        const thaw_cpu_level level = thaw_context_cpu_level(context);
        cr_assert_eq(level, unlimited ? machine() : most, "limit %d: level %d", (int)most, (int)level);
        cr_assert_eq(level, context->level);
        thaw_context_destroy(context);
    }
}

Test(cpu, what_is_no_level_is_refused)
{
    static const int wrong[] = { -1, THAW_CPU_V4 + 1, 1000 };
    for (size_t i = 0; i < THAW_COUNT(wrong); i++) {
        thaw_context *context = NULL;
        const thaw_context_options options = { .max_cpu = (thaw_cpu_level)wrong[i] };
        cr_assert_eq(thaw_context_create(&options, &context), THAW_INVALID_ARGUMENT, "%d", wrong[i]);
        cr_assert_null(context);
    }
}

Test(cpu, levels_have_names)
{
    static const char *const unknown[] = { "", "v2", "V3", "baseline ", "v4_bf16", "avx2" };
    thaw_cpu_level level = THAW_CPU_HIGHEST;
    cr_assert(thaw_cpu_parse("baseline", &level) && level == THAW_CPU_BASELINE);
    cr_assert(thaw_cpu_parse("v3", &level) && level == THAW_CPU_V3);
    cr_assert(thaw_cpu_parse("v4", &level) && level == THAW_CPU_V4);
    for (size_t i = 0; i < THAW_COUNT(unknown); i++)
        cr_assert(!thaw_cpu_parse(unknown[i], &level) && level == THAW_CPU_V4, "\"%s\"", unknown[i]);
}

/* ---- kernels whose sums have other bits at each level, because V3 and above fuse products with sums ---- */

enum { ROWS = 5, DEPTH = 200 };

typedef struct product {
    _Alignas(64) float left[ROWS * DEPTH], right[DEPTH * THAW_PANEL_WIDTH], found[ROWS * THAW_PANEL_WIDTH];
} product;

static product *some_product(void)
{
    product *p = aligned_alloc(64, sizeof *p);
    support_fill(p->left, THAW_COUNT(p->left), 1);
    support_fill(p->right, THAW_COUNT(p->right), 2);
    return p;
}

/* `right` is the weight, [THAW_PANEL_WIDTH][DEPTH]. */
static void row_product(thaw_cpu_level most, product *p)
{
    thaw_context *context = limited(most);
    const thaw_inner_product problem = { .batch = ROWS, .inputs = DEPTH, .outputs = THAW_PANEL_WIDTH, .packed = true };
    thaw_kernel *kernel, *pack;
    assert_ok(context, thaw_row_product_create(context, &problem, &kernel, &pack));
    char *packed = aligned_alloc(64, (thaw_kernel_bytes(kernel, THAW_ARGUMENT_WEIGHTS) + 64) / 64 * 64);
    char *scratch = aligned_alloc(64, (thaw_kernel_scratch_bytes(kernel) + 64) / 64 * 64);
    const thaw_binding packing[] = { { THAW_ARGUMENT_SOURCE, p->right }, { THAW_ARGUMENT_DESTINATION, packed } };
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, p->left },
                                      { THAW_ARGUMENT_WEIGHTS, packed },
                                      { THAW_ARGUMENT_DESTINATION, p->found } };
    assert_ok(context, thaw_kernel_run(pack, packing, THAW_COUNT(packing), NULL));
    assert_ok(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch));
    free(packed);
    free(scratch);
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, pack);
    thaw_context_destroy(context);
}

Test(cpu, the_product_of_rows_keeps_to_the_limit)
{
    product *highest = some_product(), *p = some_product();
    row_product(THAW_CPU_HIGHEST, highest);
    for (thaw_cpu_level most = THAW_CPU_BASELINE; most <= THAW_CPU_V4; most++) {
        row_product(most, p);
        if (most >= machine())
            cr_assert_arr_eq(p->found, highest->found, sizeof p->found, "limit %d", (int)most);
        else if (most == THAW_CPU_BASELINE && levels_differ)
            cr_assert_neq(memcmp(p->found, highest->found, sizeof p->found), 0, "the limit is not kept");
    }
    free(highest);
    free(p);
}

static void outer_products(thaw_cpu_level most, product *p)
{
    thaw_context *context = limited(most);
    const thaw_inner_product problem = {
        .batch = DEPTH, .inputs = THAW_PANEL_WIDTH, .outputs = ROWS, .training = true
    };
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, p->right },
                                      { THAW_ARGUMENT_DESTINATION_GRADIENT, p->left },
                                      { THAW_ARGUMENT_WEIGHTS_GRADIENT, p->found } };
    thaw_kernel *kernel;
    assert_ok(context, thaw_outer_products_create(context, &problem, &kernel));
    assert_ok(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), NULL));
    thaw_kernel_release(context, kernel);
    thaw_context_destroy(context);
}

Test(cpu, outer_products_keep_to_the_limit)
{
    product *p = some_product(), *expected = some_product();
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= THAW_CPU_V4 && level <= machine(); level++) {
        THAW_FOR_LEVEL(level, thaw_outer_products_loops)
        (ROWS, DEPTH, (thaw_outer_operand){ p->left, ROWS }, (thaw_outer_operand){ p->right, THAW_PANEL_WIDTH },
         expected->found, THAW_PANEL_WIDTH);
        outer_products(level, p);
        cr_assert_arr_eq(p->found, expected->found, sizeof p->found, "level %d", (int)level);
        if (level == THAW_CPU_V3 && levels_differ) {
            outer_products(THAW_CPU_BASELINE, p);
            cr_assert_neq(memcmp(p->found, expected->found, sizeof p->found), 0, "the levels can be told apart");
        }
    }
    free(p);
    free(expected);
}

Test(cpu, optimizers_keep_to_the_limit)
{
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= THAW_CPU_V4 && level <= machine(); level++) {
        thaw_context *context = limited(level);
        for (size_t i = 0; thaw_optimizer_builtin(i); i++) {
            const thaw_optimizer_module *wanted = thaw_builtin_module(level, i);
            thaw_optimizer *named = NULL, *given = NULL;
            assert_ok(context, thaw_optimizer_create(context, wanted->name, &named));
            assert_ok(context, thaw_optimizer_create_from(context, thaw_optimizer_builtin(i), NULL, &given));
            cr_assert_eq(thaw_optimizer_module_of(named), wanted, "%s by name, level %d", wanted->name, (int)level);
            cr_assert_eq(thaw_optimizer_module_of(given), wanted, "%s by module, level %d", wanted->name, (int)level);
            const thaw_optimizer_module *lower = level > THAW_CPU_BASELINE ? thaw_builtin_module(level - 1, i) : NULL;
            cr_assert(!lower || wanted->update != lower->update || wanted->matrix != lower->matrix, "%s", wanted->name);
            thaw_optimizer_destroy(named);
            thaw_optimizer_destroy(given);
        }
        thaw_context_destroy(context);
    }
}

/* ---- a layer ---- */

enum { BATCH = 4, STEPS = 3, FEATURES = 7, UNITS = 40 };

static void predict(thaw_cpu_level most, float states[BATCH * UNITS])
{
    thaw_context *context = limited(most);
    thaw_model *model = NULL;
    thaw_node node = 0;
    float samples[BATCH * STEPS * FEATURES];
    support_fill(samples, THAW_COUNT(samples), 3);
    assert_ok(context, thaw_model_create(context, &model));
    assert_ok(context, thaw_input(model, &(thaw_shape){ 2, { STEPS, FEATURES } }, &node));
    assert_ok(context, thaw_lstm(model, node, &(thaw_recurrent_options){ .units = UNITS, .last_only = true }, &node));
    const thaw_tensor inputs = thaw_view_f32(samples, 3, (int64_t[]){ BATCH, STEPS, FEATURES });
    thaw_tensor outputs = thaw_view_f32(states, 2, (int64_t[]){ BATCH, UNITS });
    assert_ok(context, thaw_predict(model, &inputs, &outputs));
    thaw_model_destroy(model);
    thaw_context_destroy(context);
}

Test(cpu, a_layer_keeps_to_the_limit)
{
    float states[THAW_CPU_V4 + 1][BATCH * UNITS];
    for (thaw_cpu_level most = THAW_CPU_HIGHEST; most <= THAW_CPU_V4; most++)
        predict(most, states[most]);
    for (thaw_cpu_level most = THAW_CPU_V3; most <= THAW_CPU_V4; most++)
        if (most >= machine())
            cr_assert_arr_eq(states[most], states[THAW_CPU_HIGHEST], sizeof states[most], "limit %d", (int)most);
    if (machine() > THAW_CPU_BASELINE && levels_differ)
        cr_assert_neq(memcmp(states[THAW_CPU_BASELINE], states[THAW_CPU_V3], sizeof states[0]), 0);
}
