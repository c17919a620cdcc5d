#include <string.h>

#include "onednn/convolution.h"
#include "onednn/eltwise.h"
#include "onednn/own_kernel.h"
#include "support/support.h"

enum { COUNT = 40 };

static void run_relu(thaw_kernel *kernel, const float *source, float *destination)
{
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, source },
        { THAW_ARGUMENT_BIAS, NULL }, /* one that the kernel does not have */
        { THAW_ARGUMENT_DESTINATION, destination },
    };
    cr_assert_eq(thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), NULL), THAW_OK);
}

Test(kernel, follows_buffers_that_move)
{
    thaw_context *context = support_context(2);
    thaw_kernel *kernel;
    float sources[3][COUNT], destinations[3][COUNT];
    assert_ok(context,
              thaw_eltwise_forward(context, &(thaw_eltwise){ .count = COUNT, .function = THAW_ACTIVATION_RELU }, false,
                                   &kernel));
    for (uint32_t i = 0; i < 3; i++)
        support_fill(sources[i], COUNT, i);
    for (size_t round = 0; round < 7; round++) {
        const size_t from = round % 3, to = round * 2 % 3;
        memset(destinations, 0, sizeof destinations);
        run_relu(kernel, sources[from], destinations[to]);
        for (size_t i = 0; i < COUNT; i++)
            cr_assert(destinations[to][i] == (sources[from][i] > 0 ? sources[from][i] : 0));
    }
    thaw_kernel_release(context, kernel);
    thaw_context_destroy(context);
}

Test(kernel, knows_its_arguments)
{
    thaw_context *context = support_context(1);
    thaw_kernel *kernel;
    assert_ok(context,
              thaw_eltwise_forward(context, &(thaw_eltwise){ .count = COUNT, .function = THAW_ACTIVATION_TANH }, false,
                                   &kernel));
    cr_assert_eq(thaw_kernel_bytes(kernel, THAW_ARGUMENT_SOURCE), COUNT * sizeof(float));
    cr_assert_eq(thaw_kernel_bytes(kernel, THAW_ARGUMENT_WEIGHTS), 0);
    cr_assert_eq(thaw_kernel_scratch_bytes(NULL), 0);
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, NULL);
    thaw_context_destroy(context);
}

typedef struct scaling {
    size_t count;
    float factor;
} scaling;

static void scale(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    (void)context;
    const scaling *s = problem;
    const float *source = arguments[THAW_ARGUMENT_SOURCE];
    float *destination = arguments[THAW_ARGUMENT_DESTINATION], *products = scratch;
    for (size_t i = 0; i < s->count; i++)
        products[i] = source[i] * s->factor;
    memcpy(destination, products, s->count * sizeof *products);
}

/* The problem is copied, and what the kernel does not have is passed over. */
Test(kernel, may_be_a_function_of_our_own)
{
    thaw_context *context = support_context(1);
    thaw_kernel *kernel;
    scaling problem = { COUNT, 3 };
    const thaw_own_kernel own = {
        .name = "scaling",
        .bytes = { [THAW_ARGUMENT_SOURCE] = COUNT * sizeof(float),
                   [THAW_ARGUMENT_DESTINATION] = COUNT * sizeof(float) },
        .scratch_bytes = COUNT * sizeof(float),
        .run = scale,
    };
    assert_ok(context, thaw_kernel_create_own(context, &own, &problem, sizeof problem, &kernel));
    problem.factor = 0;
    cr_assert_str_eq(thaw_kernel_name(kernel), "scaling");
    cr_assert_eq(thaw_kernel_bytes(kernel, THAW_ARGUMENT_SOURCE), COUNT * sizeof(float));
    cr_assert_eq(thaw_kernel_bytes(kernel, THAW_ARGUMENT_BIAS), 0);
    cr_assert_eq(thaw_kernel_scratch_bytes(kernel), COUNT * sizeof(float));
    float source[COUNT], destination[COUNT], scratch[COUNT];
    support_fill(source, COUNT, 1);
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, source },
        { THAW_ARGUMENT_BIAS, NULL },
        { THAW_ARGUMENT_DESTINATION, destination },
    };
    assert_ok(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch));
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_eq(destination[i], source[i] * 3);
    thaw_kernel_release(context, kernel);
    thaw_context_destroy(context);
}

Test(kernel, reports_a_problem_that_makes_no_sense)
{
    thaw_context *context = support_context(1);
    thaw_kernel *kernel, *pack;
    const thaw_convolution impossible = {
        .batch = 1,
        .groups = 1,
        .input_channels = 1,
        .output_channels = 1,
        .input = { 4, 4 },
        .output = { 9, 9 },
        .kernel = { 3, 3 },
        .stride = { 1, 1 },
        .dilation = { 1, 1 },
    };
    assert_fails(context, thaw_convolution_forward(context, &impossible, &kernel, &pack), THAW_INTERNAL,
                 "a convolution");
    cr_assert(kernel == NULL && pack == NULL);
    thaw_context_destroy(context);
}

/* A context in a host's thread and one in another's: engines are not shared. */
Test(kernel, belongs_to_its_context)
{
    thaw_context *first = support_context(1), *second = support_context(1);
    const thaw_eltwise problem = { .count = COUNT, .function = THAW_ACTIVATION_RELU };
    thaw_kernel *one, *other;
    float source[COUNT], destination[COUNT];
    support_fill(source, COUNT, 1);
    assert_ok(first, thaw_eltwise_forward(first, &problem, false, &one));
    assert_ok(second, thaw_eltwise_forward(second, &problem, false, &other));
    thaw_kernel_release(first, one);
    thaw_context_destroy(first);
    run_relu(other, source, destination);
    cr_assert(destination[0] == (source[0] > 0 ? source[0] : 0));
    thaw_kernel_release(second, other);
    thaw_context_destroy(second);
}
