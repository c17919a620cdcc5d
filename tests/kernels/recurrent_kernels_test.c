/* The arithmetic of recurrent layers at each level of instructions that this CPU has. */
#include "../../src/kernels/recurrent_kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "../../src/kernels/gate_functions.h"
#include "core/cpu.h"
#include "support/support.h"

enum { MOST_ROWS = 30, MOST_DEPTH = 70, STRIDE = MOST_DEPTH + 3 };

Test(recurrent_kernels, multiply_any_number_of_rows)
{
    static _Alignas(64) float panel[MOST_DEPTH * THAW_BLOCK], product[(MOST_ROWS + 1) * THAW_BLOCK];
    static _Alignas(64) float one[THAW_BLOCK];
    static float left[MOST_ROWS * STRIDE];
    const size_t depths[] = { 1, 2, 7, 64, 70 };
    support_fill(panel, THAW_COUNT(panel), 1);
    support_fill(left, THAW_COUNT(left), 2);
    for (thaw_cpu_level level = THAW_CPU_BASELINE; level <= thaw_cpu_detect(); level++)
        for (size_t rows = 1; rows <= MOST_ROWS; rows++)
            for (size_t d = 0; d < THAW_COUNT(depths); d++) {
                memset(product, 0xFF, sizeof product);
                THAW_FOR_LEVEL(level, thaw_panel_product)(rows, depths[d], left, STRIDE, panel, product);
                for (size_t r = 0; r < rows; r++) {
                    for (size_t u = 0; u < THAW_BLOCK; u++) {
                        double sum = 0;
                        for (size_t k = 0; k < depths[d]; k++)
                            sum += (double)left[r * STRIDE + k] * (double)panel[k * THAW_BLOCK + u];
                        cr_assert_float_eq(product[r * THAW_BLOCK + u], sum, 1e-5);
                    }
                    THAW_FOR_LEVEL(level, thaw_panel_product)(1, depths[d], left + r * STRIDE, STRIDE, panel, one);
                    cr_assert_eq(memcmp(one, product + r * THAW_BLOCK, sizeof one), 0, "row %zu of %zu", r, rows);
                }
                for (size_t u = 0; u < THAW_BLOCK; u++)
                    cr_assert(isnan(product[rows * THAW_BLOCK + u]), "%zu rows: one more was written", rows);
            }
}

/* Units in the last place between a value and an exact one. */
static double distance(float found, double exact)
{
    const float nearest = fabsf((float)exact);
    return fabs((double)found - exact) / (double)(nextafterf(nearest, INFINITY) - nearest);
}

Test(recurrent_kernels, squash_within_few_units_in_the_last_place)
{
    double worst_sigmoid = 0, worst_tanh = 0;
    for (double x = -30; x <= 30; x += 0x1p-14) {
        const float f = (float)(x * (1 + 0.1 * sin(x))); /* values with all their bits */
        worst_sigmoid = fmax(worst_sigmoid, distance(thaw_gate_sigmoid(f), 1 / (1 + exp(-(double)f))));
        worst_tanh = fmax(worst_tanh, distance(thaw_gate_tanh(f), tanh((double)f)));
    }
    for (float f = 1; f > 1e-30F; f *= 0.93F)
        worst_tanh = fmax(worst_tanh, distance(thaw_gate_tanh(-f), tanh(-(double)f)));
    cr_assert(worst_sigmoid <= 3, "sigmoid is off by %g units", worst_sigmoid);
    cr_assert(worst_tanh <= 3, "tanh is off by %g units", worst_tanh);
}

Test(recurrent_kernels, multiply_a_sigmoid_by_a_tangent_within_three_steps_from_one)
{
    double worst = 0;
    for (double x = -30; x <= 30; x += 0.0371)
        for (double y = -22; y <= 22; y += 0.0117) {
            const float found = thaw_gate_product((float)x, (float)y);
            const double exact = tanh((double)(float)y) / (1 + exp(-(double)(float)x));
            worst = fmax(worst, fabs((double)found - exact));
        }
    cr_assert(worst <= 3 * (double)FLT_EPSILON, "off by %g", worst);
    cr_assert(thaw_gate_product(-1e30F, 5) >= 0 && thaw_gate_product(-1e30F, 5) < 1e-37F);
    cr_assert_eq(thaw_gate_product(1e30F, -INFINITY), -1);
    cr_assert_eq(thaw_gate_product(-INFINITY, -INFINITY), 0);
    cr_assert(isnan(thaw_gate_product((float)NAN, 1)) && isnan(thaw_gate_product(1, (float)NAN)));
}

Test(recurrent_kernels, squash_what_is_extreme)
{
    const float extremes[] = { 87, 100, 1e30F, INFINITY };
    for (size_t i = 0; i < THAW_COUNT(extremes); i++) {
        cr_assert_eq(thaw_gate_sigmoid(extremes[i]), 1);
        cr_assert(thaw_gate_sigmoid(-extremes[i]) >= 0 && thaw_gate_sigmoid(-extremes[i]) < 1e-37F);
        cr_assert_eq(thaw_gate_tanh(extremes[i]), 1);
        cr_assert_eq(thaw_gate_tanh(-extremes[i]), -1);
    }
    cr_assert(isnan(thaw_gate_sigmoid((float)NAN)) && isnan(thaw_gate_tanh((float)NAN)));
    cr_assert_eq(thaw_gate_sigmoid(0), 0.5F);
    cr_assert_eq(thaw_gate_tanh(0), 0);
}

enum { ROWS = 3, UNITS = 45, GATES = 4, MATRIX = THAW_CELL_ROWS * THAW_BLOCK };

/* One step of the cells' arrays, filled with the same numbers each time. */
typedef struct arrays {
    _Alignas(64) float product[GATES * MATRIX];
    float bias[GATES * THAW_BLOCK], gates[ROWS * GATES * UNITS], hidden_gates[ROWS * GATES * UNITS];
    float hidden[ROWS * UNITS], next_hidden[ROWS * UNITS], cell_state[ROWS * UNITS], next_cell_state[ROWS * UNITS];
    float slope[ROWS * UNITS], carry[ROWS * UNITS];
} arrays;

/* Runs forward and backward over the units from 32 on. */
static void run_cell(const thaw_cell *cell, arrays *a)
{
    const size_t row = cell->gates * UNITS;
    support_fill((float *)(void *)a, sizeof *a / sizeof(float), 9);
    cell->forward(&(thaw_cell_forward){ .rows = ROWS,
                                        .count = UNITS - THAW_BLOCK,
                                        .units = UNITS,
                                        .product = a->product,
                                        .bias = a->bias,
                                        .gates = { a->gates + THAW_BLOCK, row },
                                        .hidden_gates = { a->hidden_gates + THAW_BLOCK, row },
                                        .keep = true,
                                        .hidden = { a->hidden + THAW_BLOCK, UNITS },
                                        .next_hidden = { a->next_hidden + THAW_BLOCK, UNITS },
                                        .cell_state = { a->cell_state + THAW_BLOCK, UNITS },
                                        .next_cell_state = { a->next_cell_state + THAW_BLOCK, UNITS } });
    cell->backward(&(thaw_cell_backward){ .rows = ROWS,
                                          .count = UNITS - THAW_BLOCK,
                                          .units = UNITS,
                                          .product = a->product,
                                          .output_gradient = { a->slope + THAW_BLOCK, UNITS },
                                          .gates = { a->gates + THAW_BLOCK, row },
                                          .hidden_gates = { a->hidden_gates + THAW_BLOCK, row },
                                          .carry = { a->carry + THAW_BLOCK, UNITS },
                                          .hidden = { a->hidden + THAW_BLOCK, UNITS },
                                          .cell_state = { a->cell_state + THAW_BLOCK, UNITS },
                                          .next_cell_state = { a->next_cell_state + THAW_BLOCK, UNITS } });
}

/* The baseline is tested by its formulas wherever there is no more; the others compute the same. */
Test(recurrent_kernels, compute_the_same_at_each_level)
{
    static arrays first, other;
    for (thaw_cell_kind kind = THAW_CELL_LSTM; kind <= THAW_CELL_GRU; kind++) {
        const thaw_cell *baseline = thaw_cell_of(kind, THAW_CPU_BASELINE);
        run_cell(baseline, &first);
        for (thaw_cpu_level level = THAW_CPU_V3; level <= thaw_cpu_detect(); level++) {
            run_cell(thaw_cell_of(kind, level), &other);
            assert_close((const float *)(const void *)&other, (const float *)(const void *)&first,
                         sizeof first / sizeof(float), 2e-6, baseline->name);
        }
    }
}
