/* No kernel of the transfer network (two convolutions, max-pool, two dense layers), nor of depthwise convolutions,
   falls back to oneDNN's reference code on a CPU with AVX2 or better. */
#include <string.h>

#include "core/threads.h"
#include "kernels/best_convolution.h"
#include "kernels/best_inner_product.h"
#include "onednn/binary.h"
#include "onednn/channels.h"
#include "onednn/eltwise.h"
#include "onednn/pooling.h"
#include "support/support.h"

static bool has_fast_kernels(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx2");
#else
    return false;
#endif
}

/* Checks and releases. */
static void expect_fast(thaw_context *context, thaw_kernel *kernel, const char *what)
{
    if (!kernel)
        return;
    const char *name = thaw_kernel_name(kernel);
    cr_assert(strncmp(name, "ref", 3) != 0 && strncmp(name, "gemm:ref", 8) != 0, "%s runs %s", what, name);
    thaw_kernel_release(context, kernel);
}

static thaw_context *fast_context(void)
{
    if (!has_fast_kernels())
        cr_skip_test("no AVX2");
    thaw_context *context = support_context(2);
    thaw_threads_enter(context);
    return context;
}

/* 3 times 3. */
static void check_convolution(thaw_context *context, int64_t channels, int64_t filters, int64_t groups, int64_t size,
                              int64_t stride)
{
    const int64_t output = (size - 3) / stride + 1;
    thaw_convolution problem = {
        .batch = 128,
        .groups = groups,
        .input_channels = channels,
        .output_channels = filters,
        .input = { size, size },
        .output = { output, output },
        .kernel = { 3, 3 },
        .stride = { stride, stride },
        .dilation = { 1, 1 },
        .bias = true,
    };
    thaw_kernel *kernel, *relayout;
    for (int mode = 0; mode < 12; mode++) {
        problem.training = mode & 1;
        problem.after.activation = mode & 2 ? THAW_ACTIVATION_RELU : THAW_ACTIVATION_NONE;
        problem.after.residual = (thaw_residual)(mode / 4);
        assert_ok(context, thaw_best_convolution_forward(context, &problem, &kernel, &relayout));
        expect_fast(context, kernel, "convolution");
        expect_fast(context, relayout, "packing for a convolution");
    }
    assert_ok(context, thaw_best_convolution_backward_data(context, &problem, &kernel, &relayout));
    expect_fast(context, kernel, "a convolution's input gradient");
    expect_fast(context, relayout, "packing for a convolution's input gradient");
    assert_ok(context, thaw_best_convolution_backward_weights(context, &problem, &kernel, &relayout));
    expect_fast(context, kernel, "a convolution's weight gradient");
    expect_fast(context, relayout, "unpacking a convolution's weight gradient");
}

Test(speed, of_convolutions)
{
    thaw_context *context = fast_context();
    check_convolution(context, 1, 32, 1, 28, 1);
    check_convolution(context, 32, 32, 1, 26, 1);
    thaw_context_destroy(context);
}

/* Depthwise, with numbers of channels that fill vectors and that do not. */
Test(speed, of_depthwise_convolutions)
{
    thaw_context *context = fast_context();
    if (!__builtin_cpu_supports("avx512f"))
        cr_skip_test("no AVX-512");
    for (int64_t stride = 1; stride <= 2; stride++)
        for (int64_t channels = 16; channels <= 40; channels += 4)
            check_convolution(context, channels, channels, channels, 15, stride);
    thaw_context_destroy(context);
}

static void check_dense(thaw_context *context, int64_t inputs, int64_t outputs)
{
    thaw_inner_product problem = { .batch = 128, .inputs = inputs, .outputs = outputs, .bias = true };
    thaw_kernel *kernel, *pack;
    for (int mode = 0; mode < 24; mode++) {
        problem.training = mode & 1;
        problem.after.activation = mode & 2 ? THAW_ACTIVATION_RELU : THAW_ACTIVATION_NONE;
        problem.packed = mode & 4;
        problem.after.residual = (thaw_residual)(mode / 8);
        assert_ok(context, thaw_best_inner_product_forward(context, &problem, &kernel, &pack));
        expect_fast(context, kernel, "dense");
        expect_fast(context, pack, "packing for dense");
    }
    assert_ok(context, thaw_inner_product_backward_data(context, &problem, &kernel, NULL));
    expect_fast(context, kernel, "dense's input gradient");
    assert_ok(context, thaw_best_inner_product_backward_weights(context, &problem, &kernel));
    expect_fast(context, kernel, "dense's weight gradient");
}

/* oneDNN's first choice takes up to five times as long on images of one channel. */
Test(speed, of_convolutions_of_few_channels)
{
    if (!thaw_dnn_has_avx512())
        cr_skip_test("no AVX-512");
    thaw_context *context = fast_context();
    const thaw_convolution problem = {
        .batch = 500,
        .groups = 1,
        .input_channels = 1,
        .output_channels = 8,
        .input = { 28, 28 },
        .output = { 26, 26 },
        .kernel = { 3, 3 },
        .stride = { 1, 1 },
        .dilation = { 1, 1 },
        .bias = true,
    };
    thaw_kernel *kernel, *pack;
    assert_ok(context, thaw_best_convolution_forward(context, &problem, &kernel, &pack));
    cr_assert_str_eq(thaw_kernel_name(kernel), "jit:avx512_core");
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, pack);
    thaw_context_destroy(context);
}

Test(speed, of_dense_layers)
{
    thaw_context *context = fast_context();
    check_dense(context, 4608, 128);
    check_dense(context, 128, 5);
    thaw_context_destroy(context);
}

Test(speed, of_pooling)
{
    thaw_context *context = fast_context();
    for (int kind = THAW_POOLING_MAX; kind <= THAW_POOLING_AVERAGE_INSIDE; kind++) {
        const thaw_pooling problem = {
            .kind = (thaw_pooling_kind)kind,
            .batch = 128,
            .channels = 32,
            .input = { 24, 24 },
            .output = { 12, 12 },
            .kernel = { 2, 2 },
            .stride = { 2, 2 },
            .dilation = { 1, 1 },
        };
        thaw_kernel *kernel;
        for (int training = 0; training < 2; training++) {
            assert_ok(context, thaw_pooling_forward(context, &problem, training, &kernel));
            expect_fast(context, kernel, "pooling");
        }
        assert_ok(context, thaw_pooling_backward(context, &problem, &kernel));
        expect_fast(context, kernel, "pooling's gradient");
    }
    thaw_context_destroy(context);
}

Test(speed, of_what_goes_element_by_element)
{
    thaw_context *context = fast_context();
    thaw_kernel *kernel;
    for (int function = THAW_ACTIVATION_RELU; function <= THAW_ACTIVATION_SILU; function++) {
        const thaw_eltwise problem = { .count = 73728, .function = (thaw_activation)function };
        assert_ok(context, thaw_eltwise_forward(context, &problem, true, &kernel));
        expect_fast(context, kernel, "an element-wise function");
        assert_ok(context, thaw_eltwise_backward(context, &problem, &kernel));
        expect_fast(context, kernel, "an element-wise function's gradient");
    }
    assert_ok(context, thaw_binary_create(context, THAW_BINARY_SUM, THAW_F32, 73728, &kernel));
    expect_fast(context, kernel, "a sum");
    const thaw_images images = { .batch = 128, .height = 12, .width = 12, .channels = 32 };
    for (int first = 0; first < 2; first++) {
        assert_ok(context, thaw_channels_move(context, &images, first, &kernel));
        expect_fast(context, kernel, "moving channels");
    }
    thaw_context_destroy(context);
}
