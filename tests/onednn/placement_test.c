/* Copies that are written by a placement are those that oneDNN's own relayout writes. */
#include <stdlib.h>
#include <string.h>

#include "kernels/best_inner_product.h"
#include "onednn/convolution.h"
#include "onednn/placement.h"
#include "support/support.h"

/* Compares for the weight of a kernel; `pack` NULL: it stays as it is. Returns whether the copy has gaps. */
static bool compare(thaw_context *context, const thaw_kernel *kernel, thaw_kernel *pack, size_t outputs, size_t row)
{
    thaw_placement *placement;
    assert_ok(context, thaw_placement_create(context, kernel, outputs, &placement));
    cr_assert_not_null(placement, "%s", thaw_kernel_name(kernel));
    cr_assert_eq(placement->row, row);
    const size_t bytes = thaw_kernel_bytes(kernel, THAW_ARGUMENT_WEIGHTS), count = outputs * row;
    cr_assert_eq(placement->bytes, bytes, "%zu bytes, wanted %zu", placement->bytes, bytes);
    float *weight = malloc(count * sizeof *weight), *wanted = calloc(1, bytes), *found = calloc(1, bytes);
    void *scratch = aligned_alloc(64, (thaw_kernel_scratch_bytes(pack) + 64) / 64 * 64);
    for (size_t i = 0; i < count; i++)
        weight[i] = (float)(i + 1);
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, weight }, { THAW_ARGUMENT_DESTINATION, wanted } };
    if (pack)
        assert_ok(context, thaw_kernel_run(pack, bindings, THAW_COUNT(bindings), scratch));
    else
        memcpy(wanted, weight, bytes);
    for (size_t o = 0; o < outputs; o++)
        for (size_t k = 0; k < row; k++)
            found[placement->row_at[o] + placement->element_at[k]] = weight[o * row + k];
    cr_assert(memcmp(found, wanted, bytes) == 0, "%s, %zu rows of %zu", thaw_kernel_name(kernel), outputs, row);
    const bool padded = placement->padded;
    cr_assert_eq(padded, bytes > count * sizeof(float));
    thaw_placement_release(context, placement);
    free(weight);
    free(wanted);
    free(found);
    free(scratch);
    return padded;
}

static void pack_into(thaw_context *context, thaw_kernel *pack, const float *weight, void *copy)
{
    void *scratch = aligned_alloc(64, (thaw_kernel_scratch_bytes(pack) + 64) / 64 * 64);
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, weight }, { THAW_ARGUMENT_DESTINATION, copy } };
    assert_ok(context, thaw_kernel_run(pack, bindings, THAW_COUNT(bindings), scratch));
    free(scratch);
}

/* Our packing writes what oneDNN's does, and the zeros that kernels may read beside that. NULL: the weight stays. */
static void compare_packing(thaw_context *context, const thaw_kernel *kernel, thaw_kernel *pack, size_t outputs,
                            size_t row)
{
    thaw_kernel *own;
    assert_ok(context, thaw_placement_pack(context, kernel, outputs, &own));
    cr_assert_not_null(own);
    const size_t bytes = thaw_kernel_bytes(kernel, THAW_ARGUMENT_WEIGHTS), count = outputs * row;
    cr_assert_eq(thaw_kernel_bytes(own, THAW_ARGUMENT_DESTINATION), bytes);
    float *weight = malloc(count * sizeof *weight), *wanted = calloc(1, bytes), *found = malloc(bytes);
    support_fill(weight, count, 1);
    memset(found, 0xFF, bytes);
    if (pack)
        pack_into(context, pack, weight, wanted);
    else
        memcpy(wanted, weight, bytes);
    pack_into(context, own, weight, found);
    cr_assert(memcmp(found, wanted, bytes) == 0, "%s, %zu rows of %zu", thaw_kernel_name(kernel), outputs, row);
    thaw_kernel_release(context, own);
    free(weight);
    free(wanted);
    free(found);
}

static bool compare_convolution(thaw_context *context, int64_t groups, int64_t inputs, int64_t outputs, int64_t size,
                                bool backward)
{
    const thaw_convolution problem = {
        .batch = 2,
        .groups = groups,
        .input_channels = inputs,
        .output_channels = outputs,
        .input = { 14, 14 },
        .output = { 15 - size, 15 - size },
        .kernel = { size, size },
        .stride = { 1, 1 },
        .dilation = { 1, 1 },
    };
    thaw_kernel *kernel, *pack;
    assert_ok(context, backward ? thaw_convolution_backward_data(context, &problem, &kernel, &pack)
                                : thaw_convolution_forward(context, &problem, &kernel, &pack));
    const bool padded = compare(context, kernel, pack, (size_t)outputs, (size_t)(inputs / groups * size * size));
    compare_packing(context, kernel, pack, (size_t)outputs, (size_t)(inputs / groups * size * size));
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, pack);
    return padded;
}

Test(placement, is_that_of_relayouts_for_convolutions)
{
    static const int64_t channels[][3] = {
        { 1, 3, 64 },  { 1, 64, 128 }, { 1, 17, 33 },  { 1, 24, 40 },
        { 4, 32, 64 }, { 3, 9, 15 },   { 64, 64, 64 }, { 1, 5, 1 }
    }; /* groups, inputs, outputs */
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(channels); i++)
        for (int64_t size = 1; size <= 5; size += 2)
            for (int backward = 0; backward < 2; backward++)
                compare_convolution(context, channels[i][0], channels[i][1], channels[i][2], size, backward);
    thaw_context_destroy(context);
}

Test(placement, is_that_of_relayouts_for_products)
{
    static const int64_t sizes[][2] = { { 512, 1000 }, { 784, 512 }, { 33, 17 }, { 128, 64 } }; /* inputs, outputs */
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(sizes); i++) {
        const thaw_inner_product problem = {
            .batch = 16, .inputs = sizes[i][0], .outputs = sizes[i][1], .packed = true
        };
        thaw_kernel *kernel, *pack;
        assert_ok(context, thaw_best_inner_product_forward(context, &problem, &kernel, &pack));
        compare(context, kernel, pack, (size_t)sizes[i][1], (size_t)sizes[i][0]);
        thaw_kernel_release(context, kernel);
        thaw_kernel_release(context, pack);
    }
    thaw_context_destroy(context);
}
