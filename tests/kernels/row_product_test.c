/* Rows by a packed weight: at every level of the CPU's instructions against sums in double precision, and to the bit
   the same for a row alone and for any number of threads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/cpu.h"
#include "core/threads.h"
#include "kernels/row_product.h"
#include "kernels/row_tiles.h"
#include "support/support.h"

enum { LEVELS = 3, WIDEST_PANEL = 16, MOST_ROWS = 151, MOST_INPUTS = 1100, MOST_OUTPUTS = 300 };

static const size_t all_rows[] = { 1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 25, 150 };
static const size_t all_inputs[] = { 1, 5, 256, 257, 600, 1099 };
static const size_t all_outputs[] = { 1, 8, 9, 16, 20, 40, 129, 300 };

static size_t find_levels(const thaw_row_tiles_functions *levels[LEVELS])
{
    const thaw_cpu_level most = thaw_cpu_detect();
    size_t count = 0;
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= most && level <= THAW_CPU_V4; level++)
        levels[count++] = THAW_FOR_LEVEL(level, &thaw_row_tiles);
    return count;
}

typedef struct values {
    float *source, *weight, *bias, *residual, *panels, *found, *alone, *memory;
} values;

static float *make(size_t count, uint32_t seed)
{
    float *made = aligned_alloc(64, (count * sizeof *made + 64) / 64 * 64);
    support_fill(made, count, seed);
    return made;
}

static values make_values(void)
{
    return (values){
        .source = make((size_t)MOST_ROWS * MOST_INPUTS, 1),
        .weight = make((size_t)MOST_OUTPUTS * MOST_INPUTS, 2),
        .bias = make(MOST_OUTPUTS, 3),
        .residual = make((size_t)MOST_ROWS * MOST_OUTPUTS, 4),
        .panels = make((size_t)(MOST_OUTPUTS + WIDEST_PANEL) * MOST_INPUTS, 5),
        .found = make((size_t)MOST_ROWS * MOST_OUTPUTS, 6),
        .alone = make(MOST_OUTPUTS, 7),
        .memory = make(thaw_row_tiles_floats(MOST_ROWS), 8),
    };
}

static void release_values(values *v)
{
    float *all[] = { v->source, v->weight, v->bias, v->residual, v->panels, v->found, v->alone, v->memory };
    for (size_t i = 0; i < THAW_COUNT(all); i++)
        free(all[i]);
}

static double expect(const values *v, size_t inputs, size_t outputs, size_t row, size_t output)
{
    double sum = (double)v->bias[output] + (double)v->residual[row * outputs + output];
    for (size_t k = 0; k < inputs; k++)
        sum += (double)v->source[row * inputs + k] * (double)v->weight[output * inputs + k];
    return sum < 0 ? 0 : sum > 6 ? 6 : sum;
}

static thaw_row_product_job job_of(const values *v, size_t inputs, size_t outputs)
{
    return (thaw_row_product_job){
        .inputs = inputs,
        .outputs = outputs,
        .source = v->source,
        .panels = v->panels,
        .bias = v->bias,
        .residual = v->residual,
        .activation = THAW_ACTIVATION_RELU6,
        .destination = v->found,
    };
}

/* Each row, multiplied by itself, has the bits that it has among the others. */
static void check_rows_alone(const values *v, const thaw_row_tiles_functions *level, size_t rows, size_t inputs,
                             size_t outputs)
{
    thaw_row_product_job job = job_of(v, inputs, outputs);
    const thaw_row_range panels = { 0, (outputs + level->panel - 1) / level->panel };
    job.destination = v->alone;
    for (size_t r = 0; r < rows; r++) {
        job.source = v->source + r * inputs;
        job.residual = v->residual + r * outputs;
        level->multiply(&job, (thaw_row_range){ 0, 1 }, panels, v->memory);
        cr_assert_eq(memcmp(v->alone, v->found + r * outputs, outputs * sizeof(float)), 0, "row %zu of %zu, %zu to %zu",
                     r, rows, inputs, outputs);
    }
}

static void check(const values *v, const thaw_row_tiles_functions *level, size_t rows, size_t inputs, size_t outputs)
{
    const thaw_row_product_job job = job_of(v, inputs, outputs);
    const thaw_row_range panels = { 0, (outputs + level->panel - 1) / level->panel };
    v->found[rows * outputs] = NAN;
    level->pack(v->weight, inputs, outputs, panels, v->panels);
    level->multiply(&job, (thaw_row_range){ 0, rows }, panels, v->memory);
    cr_assert(isnan(v->found[rows * outputs]), "%zu rows, %zu to %zu: one more was written", rows, inputs, outputs);
    const size_t step = rows > 30 ? 7 : 1;
    for (size_t r = 0; r < rows; r += step)
        for (size_t o = 0; o<outputs; o += outputs> 100 ? 3 : 1)
            cr_assert_float_eq(v->found[r * outputs + o], expect(v, inputs, outputs, r, o), 3e-5,
                               "%zu rows, %zu to %zu: %g at %zu, %zu", rows, inputs, outputs,
                               (double)v->found[r * outputs + o], r, o);
    check_rows_alone(v, level, rows, inputs, outputs);
}

Test(row_product, of_any_shape_at_every_level)
{
    const thaw_row_tiles_functions *levels[LEVELS];
    const size_t count = find_levels(levels);
    values v = make_values();
    for (size_t level = 0; level < count; level++)
        for (size_t i = 0; i < THAW_COUNT(all_rows); i++)
            for (size_t k = 0; k < THAW_COUNT(all_inputs); k++)
                for (size_t o = 0; o < THAW_COUNT(all_outputs); o++)
                    check(&v, levels[level], all_rows[i], all_inputs[k], all_outputs[o]);
    release_values(&v);
}

/* ---- the kernel on threads ---- */

static void run(const values *v, int threads, const thaw_inner_product *problem, float *destination)
{
    thaw_context *context = support_context(threads);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    thaw_kernel *kernel, *pack;
    assert_ok(context, thaw_row_product_create(context, problem, &kernel, &pack));
    void *scratch = make(thaw_kernel_scratch_bytes(kernel) / sizeof(float), 1);
    const thaw_binding packing[] = { { THAW_ARGUMENT_SOURCE, v->weight }, { THAW_ARGUMENT_DESTINATION, v->panels } };
    assert_ok(context, thaw_kernel_run(pack, packing, THAW_COUNT(packing), scratch));
    const thaw_binding bindings[] = {
        { THAW_ARGUMENT_SOURCE, v->source },
        { THAW_ARGUMENT_WEIGHTS, v->panels },
        { THAW_ARGUMENT_BIAS, v->bias },
        { THAW_ARGUMENT_RESIDUAL, v->residual },
        { THAW_ARGUMENT_DESTINATION, destination },
    };
    assert_ok(context, thaw_kernel_run(kernel, bindings, THAW_COUNT(bindings), scratch));
    free(scratch);
    thaw_kernel_release(context, kernel);
    thaw_kernel_release(context, pack);
    thaw_threads_leave(scope);
    thaw_context_destroy(context);
}

static void check_threads(const values *v, thaw_inner_product problem)
{
    const size_t count = (size_t)(problem.batch * problem.outputs);
    float *expected = make(count, 9), *in_place = make(count, 9);
    run(v, 1, &problem, expected);
    for (int threads = 2; threads <= 6; threads++) {
        run(v, threads, &problem, v->found);
        cr_assert_eq(memcmp(v->found, expected, count * sizeof *expected), 0, "%lld rows, %lld to %lld, %d threads",
                     (long long)problem.batch, (long long)problem.inputs, (long long)problem.outputs, threads);
    }
    problem.after.residual = THAW_RESIDUAL_IN_PLACE;
    memcpy(in_place, v->residual, count * sizeof *in_place);
    run(v, 3, &problem, in_place);
    cr_assert_eq(memcmp(in_place, expected, count * sizeof *expected), 0, "in place");
    for (size_t i = 0; i < count; i += 11) {
        const size_t outputs = (size_t)problem.outputs;
        cr_assert_float_eq(expected[i], expect(v, (size_t)problem.inputs, outputs, i / outputs, i % outputs), 3e-5);
    }
    free(expected);
    free(in_place);
}

Test(row_product, has_the_same_bits_on_any_number_of_threads)
{
    static const int64_t rows[] = { 1, 7, 37, 150 }, inputs[] = { 300, 1099 }, outputs[] = { 10, 130, 300 };
    values v = make_values();
    for (size_t i = 0; i < THAW_COUNT(rows); i++)
        for (size_t k = 0; k < THAW_COUNT(inputs); k++)
            for (size_t o = 0; o < THAW_COUNT(outputs); o++)
                check_threads(&v, (thaw_inner_product){ .batch = rows[i],
                                                        .inputs = inputs[k],
                                                        .outputs = outputs[o],
                                                        .bias = true,
                                                        .packed = true,
                                                        .after = { THAW_RESIDUAL_BESIDE, THAW_ACTIVATION_RELU6 } });
    release_values(&v);
}
