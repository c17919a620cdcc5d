/* Each rule falls on the side that its measurement says, and the best kernel is the one that the rule names. */
#include "kernels/choice.h"

#include <string.h>

#include "kernels/best_convolution.h"
#include "kernels/best_inner_product.h"
#include "support/support.h"
#include "support/winograd_problem.h"

static const winograd_shape fitting = { 16, 64, 64, { 14, 14 }, { 1, 1 }, { 1, 1 } };

/* ---- Winograd's convolution ---- */

static bool is_winograd(const thaw_convolution *p)
{
    return thaw_choose_winograd_forward(THAW_CPU_V3, p);
}

Test(choice, is_winograd_where_it_fits)
{
    const thaw_convolution good = winograd_problem_of(&fitting);
    cr_assert(is_winograd(&good) && thaw_choose_winograd_backward_data(THAW_CPU_V3, &good));
    thaw_convolution other[9];
    for (size_t i = 0; i < THAW_COUNT(other); i++)
        other[i] = good;
    other[0].groups = 2;
    other[1].dilation[1] = 2;
    other[2].stride[0] = 2;
    other[3].kernel[1] = 1;
    other[4].kernel[0] = 5;
    other[5].output[0] = 99; /* impossible */
    other[6].input_channels = 3;
    other[7].output[1] = other[7].input[1] = 1;
    other[8].batch = 1; /* too few tiles to train with */
    for (size_t i = 0; i < THAW_COUNT(other); i++)
        cr_assert(!is_winograd(&other[i]) && !thaw_choose_winograd_backward_data(THAW_CPU_V3, &other[i]), "%zu", i);
    thaw_convolution *single = &other[8];
    single->training = false;
    cr_assert(is_winograd(single));
    single->after.activation = THAW_ACTIVATION_SILU;
    cr_assert(!is_winograd(single));
}

/* A frozen weight may take so much memory, and less where memory is dear. */
Test(choice, weighs_memory_where_the_weight_is_frozen)
{
    winograd_shape s = { 16, 256, 256, { 14, 14 }, { 1, 1 }, { 1, 1 } };
    thaw_convolution p = winograd_problem_of(&s);
    p.save_memory = true;
    cr_assert(is_winograd(&p));
    p.training = false;
    cr_assert(!is_winograd(&p));
    p.save_memory = false;
    cr_assert(is_winograd(&p));
    s.channels = s.filters = 512;
    p = winograd_problem_of(&s);
    cr_assert(is_winograd(&p));
    p.training = false;
    cr_assert(!is_winograd(&p));
}

/* Where the CPU cannot multiply bfloat16, oneDNN's kernels are no slower. */
Test(choice, is_winograd_in_bfloat16_where_the_cpu_multiplies_it)
{
    thaw_convolution p = winograd_problem_of(&fitting);
    p.precision = THAW_BF16;
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= THAW_CPU_V4_BF16; level++) {
        cr_assert_eq(thaw_choose_winograd_forward(level, &p), level == THAW_CPU_V4_BF16);
        cr_assert_eq(thaw_choose_winograd_backward_data(level, &p), level == THAW_CPU_V4_BF16);
    }
}

Test(choice, is_winograd_for_gradients_where_it_saves_enough)
{
    static const winograd_shape good[] = {
        { 16, 64, 64, { 56, 56 }, { 1, 1 }, { 1, 1 } },
        { 1, 512, 512, { 7, 7 }, { 1, 1 }, { 1, 1 } },
    };
    static const winograd_shape bad[] = {
        { 16, 3, 64, { 56, 56 }, { 1, 1 }, { 1, 1 } },
        { 16, 64, 64, { 2, 2 }, { 1, 1 }, { 1, 1 } },
    };
    for (size_t i = 0; i < THAW_COUNT(good); i++) {
        const thaw_convolution p = winograd_problem_of(&good[i]), q = winograd_problem_of(&bad[i]);
        cr_assert(thaw_choose_winograd_weights(&p), "%zu", i);
        cr_assert_not(thaw_choose_winograd_weights(&q), "%zu", i);
    }
    thaw_convolution other[3];
    for (size_t i = 0; i < THAW_COUNT(other); i++)
        other[i] = winograd_problem_of(&fitting);
    other[0].stride[1] = 2;
    other[0].output[1] = 7;
    other[1].groups = 2;
    other[2].kernel[0] = 1;
    for (size_t i = 0; i < THAW_COUNT(other); i++)
        cr_assert_not(thaw_choose_winograd_weights(&other[i]), "%zu", i);
}

/* ---- dense layers ---- */

static thaw_inner_product dense(const int64_t sizes[3])
{
    return (thaw_inner_product){ .batch = sizes[0], .inputs = sizes[1], .outputs = sizes[2], .training = true };
}

/* Gradients of a large batch, of short rows and of long ones are left to oneDNN. */
Test(choice, is_outer_products_of_few_samples)
{
    static const int64_t good[][3] = { { 16, 512, 1000 }, { 128, 784, 128 }, { 64, 1280, 10 }, { 128, 1536, 10 } };
    static const int64_t bad[][3] = { { 129, 512, 1000 }, { 16, 8, 512 }, { 16, 33, 512 }, { 16, 1537, 1000 } };
    for (size_t i = 0; i < THAW_COUNT(good); i++) {
        const thaw_inner_product p = dense(good[i]), q = dense(bad[i]);
        cr_assert(thaw_choose_outer_products(&p), "%zu", i);
        cr_assert_not(thaw_choose_outer_products(&q), "%zu", i);
    }
}

/* The measurements: which operand is the cheaper one to pack. */
Test(choice, packs_the_operand_that_costs_less)
{
    static const struct {
        int64_t sizes[3];
        thaw_dense_packing wanted;
    } measured[] = {
        { { 128, 784, 512 }, THAW_PACK_INPUT },   { { 32, 784, 512 }, THAW_PACK_INPUT },
        { { 8, 784, 512 }, THAW_PACK_NOTHING },   { { 16, 512, 1000 }, THAW_PACK_INPUT },
        { { 128, 4608, 128 }, THAW_PACK_WEIGHT }, { { 128, 512, 10 }, THAW_PACK_NOTHING },
    };
    for (size_t i = 0; i < THAW_COUNT(measured); i++) {
        thaw_inner_product p = dense(measured[i].sizes);
        cr_assert_eq(thaw_choose_dense_packing(&p, true), measured[i].wanted, "%zu", i);
        cr_assert_eq(thaw_choose_dense_packing(&p, false), THAW_PACK_WEIGHT, "%zu, frozen", i);
        p.precision = THAW_BF16;
        cr_assert_eq(thaw_choose_dense_packing(&p, true), THAW_PACK_WEIGHT, "%zu, rounded", i);
    }
}

/* Without AVX-512, oneDNN's product of a plain weight is the faster one; a frozen prefix keeps the product by rows. */
Test(choice, packs_nothing_for_many_rows_in_training)
{
    const thaw_dense_packing wanted = thaw_dnn_has_avx512() ? THAW_PACK_WEIGHT : THAW_PACK_NOTHING;
    thaw_inner_product p = dense((int64_t[]){ 3152, 384, 1536 });
    cr_assert_eq(thaw_choose_dense_packing(&p, true), wanted);
    cr_assert_eq(thaw_choose_dense_packing(&p, false), wanted);
    p.training = false;
    cr_assert_eq(thaw_choose_dense_packing(&p, false), THAW_PACK_WEIGHT);
}

/* From fewer rows on if the weight is frozen, or if the input would be packed. */
Test(choice, packs_nothing_for_some_rows_in_training)
{
    const bool avx512 = thaw_dnn_has_avx512();
    const thaw_inner_product short_rows = dense((int64_t[]){ 256, 384, 1536 });
    const thaw_inner_product long_rows = dense((int64_t[]){ 256, 768, 3072 });
    const thaw_inner_product few = dense((int64_t[]){ 200, 768, 3072 });
    cr_assert_eq(thaw_choose_dense_packing(&short_rows, true), THAW_PACK_WEIGHT);
    cr_assert_eq(thaw_choose_dense_packing(&short_rows, false), avx512 ? THAW_PACK_WEIGHT : THAW_PACK_NOTHING);
    cr_assert_eq(thaw_choose_dense_packing(&long_rows, true), avx512 ? THAW_PACK_INPUT : THAW_PACK_NOTHING);
    cr_assert_eq(thaw_choose_dense_packing(&few, true), THAW_PACK_INPUT);
    cr_assert_eq(thaw_choose_dense_packing(&few, false), THAW_PACK_WEIGHT);
}

/* ---- the best kernels ---- */

static void expect_kernel(thaw_context *context, thaw_kernel *kernel, thaw_kernel *relayout, const char *name,
                          bool wanted)
{
    cr_assert_eq(strcmp(thaw_kernel_name(kernel), name) == 0, wanted, "%s", thaw_kernel_name(kernel));
    thaw_kernel_release(context, relayout);
    thaw_kernel_release(context, kernel);
}

Test(choice, decides_what_the_best_convolution_is)
{
    thaw_context *context = support_context(2);
    thaw_convolution p = winograd_problem_of(&fitting);
    for (int i = 0; i < 2; i++) {
        const bool ours = i == 0;
        thaw_kernel *kernel, *relayout;
        p.groups = ours ? 1 : 2;
        assert_ok(context, thaw_best_convolution_forward(context, &p, &kernel, &relayout));
        expect_kernel(context, kernel, relayout, "winograd 2x2", ours);
        assert_ok(context, thaw_best_convolution_backward_data(context, &p, &kernel, &relayout));
        expect_kernel(context, kernel, relayout, "winograd 2x2", ours);
        assert_ok(context, thaw_best_convolution_backward_weights(context, &p, &kernel, &relayout));
        cr_assert(!ours || !relayout);
        expect_kernel(context, kernel, relayout, "winograd 4x4", ours);
    }
    thaw_context_destroy(context);
}

Test(choice, decides_what_the_best_product_is)
{
    thaw_context *context = support_context(2);
    thaw_inner_product p = dense((const int64_t[]){ 16, 512, 100 });
    for (int i = 0; i < 2; i++) {
        thaw_kernel *kernel, *pack;
        p.packed = i == 0;
        assert_ok(context, thaw_best_inner_product_forward(context, &p, &kernel, &pack));
        expect_kernel(context, kernel, pack, "row product", p.packed && !thaw_dnn_has_avx512());
        p.batch = p.packed ? 16 : 129;
        assert_ok(context, thaw_best_inner_product_backward_weights(context, &p, &kernel));
        expect_kernel(context, kernel, NULL, "outer products", p.packed);
    }
    p.packed = true;
    p.training = false;
    thaw_kernel *kernel, *pack;
    assert_ok(context, thaw_best_inner_product_forward(context, &p, &kernel, &pack));
    expect_kernel(context, kernel, pack, "row product", true);
    p.after.activation = THAW_ACTIVATION_SILU; /* which the row product lacks */
    assert_ok(context, thaw_best_inner_product_forward(context, &p, &kernel, &pack));
    expect_kernel(context, kernel, pack, "row product", false);
    thaw_context_destroy(context);
}
