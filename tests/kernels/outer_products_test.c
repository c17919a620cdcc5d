#include <math.h>
#include <stdlib.h>

#include "kernels/outer_products.h"
#include "kernels/outer_products_loops.h"
#include "kernels/panel_product.h"
#include "support/support.h"

/* Arrays of exactly the size that each must have, so that the sanitizers see what reaches beyond. */
typedef struct arrays {
    size_t batch, inputs, outputs;
    float *source, *gradient;
    float *weights, *bias; /* gradients */
} arrays;

static float *filled(size_t count, uint32_t seed)
{
    float *values = malloc(count * sizeof *values);
    support_fill(values, count, seed);
    return values;
}

static arrays make_arrays(const thaw_inner_product *p)
{
    arrays a = { .batch = (size_t)p->batch, .inputs = (size_t)p->inputs, .outputs = (size_t)p->outputs };
    a.source = filled(a.batch * a.inputs, 1);
    a.gradient = filled(a.batch * a.outputs, 2);
    a.weights = filled(a.outputs * a.inputs, 3);
    a.bias = filled(a.outputs, 4);
    return a;
}

static void free_arrays(arrays *a)
{
    free(a->source);
    free(a->gradient);
    free(a->weights);
    free(a->bias);
}

static void compute(const thaw_inner_product *p, arrays *a, int threads)
{
    thaw_context *context = support_context(threads);
    thaw_kernel *kernel;
    assert_ok(context, thaw_outer_products_create(context, p, &kernel));
    const thaw_binding bindings[] = { { THAW_ARGUMENT_SOURCE, a->source },
                                      { THAW_ARGUMENT_DESTINATION_GRADIENT, a->gradient },
                                      { THAW_ARGUMENT_WEIGHTS_GRADIENT, a->weights },
                                      { THAW_ARGUMENT_BIAS_GRADIENT, p->bias ? a->bias : NULL } };
    assert_ok(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), NULL));
    thaw_kernel_release(context, kernel);
    thaw_context_destroy(context);
}

static void expect(double found, double wanted, double size, const char *what, size_t o, size_t i)
{
    cr_assert(fabs(found - wanted) <= 1e-6 * size, "%s of output %zu, input %zu: found %.9g, wanted %.9g", what, o, i,
              found, wanted);
}

static void compare_weights(const arrays *a)
{
    for (size_t o = 0; o < a->outputs; o++)
        for (size_t i = 0; i < a->inputs; i++) {
            double sum = 0, size = 0;
            for (size_t b = 0; b < a->batch; b++) {
                const double product = (double)a->gradient[b * a->outputs + o] * (double)a->source[b * a->inputs + i];
                sum += product;
                size += fabs(product);
            }
            expect((double)a->weights[o * a->inputs + i], sum, size, "the weight's gradient", o, i);
        }
}

static void compare_bias(const arrays *a)
{
    for (size_t o = 0; o < a->outputs; o++) {
        double sum = 0, size = 0;
        for (size_t b = 0; b < a->batch; b++) {
            sum += (double)a->gradient[b * a->outputs + o];
            size += fabs((double)a->gradient[b * a->outputs + o]);
        }
        expect((double)a->bias[o], sum, size, "the bias's gradient", o, 0);
    }
}

static thaw_inner_product problem_of(const int64_t sizes[3], bool bias)
{
    return (thaw_inner_product){
        .batch = sizes[0], .inputs = sizes[1], .outputs = sizes[2], .bias = bias, .training = true
    };
}

/* Batch, inputs, outputs: panels that are full and not, blocks that are, and each number of rows below a block. */
static const int64_t shapes[][3] = { { 1, 32, 1 },  { 16, 512, 100 }, { 5, 33, 13 },  { 3, 63, 2 },    { 7, 64, 3 },
                                     { 8, 95, 4 },  { 2, 100, 5 },    { 64, 65, 30 }, { 128, 47, 11 }, { 9, 200, 24 },
                                     { 4, 40, 19 }, { 6, 96, 10 },    { 1, 127, 25 } };

Test(outer_products, sum_to_the_gradients)
{
    for (size_t i = 0; i < THAW_COUNT(shapes); i++) {
        const thaw_inner_product problem = problem_of(shapes[i], true);
        arrays a = make_arrays(&problem);
        compute(&problem, &a, 2);
        compare_weights(&a);
        compare_bias(&a);
        free_arrays(&a);
    }
}

Test(outer_products, leave_a_bias_alone_that_does_not_train)
{
    const thaw_inner_product problem = problem_of(shapes[1], false);
    arrays a = make_arrays(&problem);
    float *before = filled(a.outputs, 4);
    compute(&problem, &a, 2);
    compare_weights(&a);
    cr_assert_arr_eq(a.bias, before, a.outputs * sizeof *before);
    free(before);
    free_arrays(&a);
}

Test(outer_products, are_the_same_for_any_thread_count)
{
    for (size_t i = 0; i < THAW_COUNT(shapes); i++) {
        const thaw_inner_product problem = problem_of(shapes[i], true);
        arrays alone = make_arrays(&problem);
        compute(&problem, &alone, 1);
        for (int threads = 2; threads <= 3; threads++) {
            arrays a = make_arrays(&problem);
            compute(&problem, &a, threads);
            cr_assert_arr_eq(a.weights, alone.weights, a.outputs * a.inputs * sizeof(float), "%d threads", threads);
            cr_assert_arr_eq(a.bias, alone.bias, a.outputs * sizeof(float), "%d threads", threads);
            free_arrays(&a);
        }
        free_arrays(&alone);
    }
}

/* ---- the loops of each level ---- */

static void check_level(thaw_outer_products_function *multiply)
{
    enum { MOST = 13, DEPTH = 9, LEFT = 17, RIGHT = 37, STRIDE = 35 };
    float *left = filled(LEFT * DEPTH, 5), *right = filled(RIGHT * DEPTH, 6), *sums = filled(STRIDE * MOST, 7);
    for (size_t rows = 1; rows <= MOST; rows++) {
        multiply(rows, DEPTH, (thaw_outer_operand){ left, LEFT }, (thaw_outer_operand){ right, RIGHT }, sums, STRIDE);
        for (size_t r = 0; r < rows; r++)
            for (size_t u = 0; u < THAW_PANEL_WIDTH; u++) {
                double sum = 0;
                for (size_t k = 0; k < DEPTH; k++)
                    sum += (double)left[k * LEFT + r] * (double)right[k * RIGHT + u];
                cr_assert(fabs((double)sums[r * STRIDE + u] - sum) <= 1e-5, "row %zu of %zu, column %zu", r, rows, u);
            }
    }
    free(left);
    free(right);
    free(sums);
}

Test(outer_products, of_each_level_are_right)
{
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        check_level(THAW_FOR_LEVEL(level, thaw_outer_products_loops));
}
