/* Optimizers that see whole parameters as matrices, and those that they leave to others. */
#include <math.h>
#include <string.h>

#include "params/bits.h"
#include "params/suits.h"
#include "support/allocator.h"
#include "support/matrices.h"

/* ---- a user's module: steps in the direction of G^T G, for matrices ---- */

static const thaw_hyperparameter hyperparameters[] = { { "lr", 0.5, 0, 1 }, { "sgd_lr", 0.25, 0, 1 } };
static const char *const slots[] = { "whole", "rows", "columns", "rows2", "columns2", "one" };
static const thaw_slot_shape slot_shapes[] = { THAW_SLOT_WHOLE,           THAW_SLOT_ROWS,
                                               THAW_SLOT_COLUMNS,         THAW_SLOT_ROWS_SQUARED,
                                               THAW_SLOT_COLUMNS_SQUARED, THAW_SLOT_ONE };

static bool suits(const thaw_suitor *parameter)
{
    return parameter->role == THAW_WEIGHT && parameter->shape->rank >= 2 && !parameter->table;
}

static size_t scratch(const double *h, size_t rows, size_t columns)
{
    (void)h, (void)rows;
    return columns * columns;
}

static double flops(const double *h, size_t rows, size_t columns)
{
    (void)h;
    return (double)(rows * columns);
}

static void fill(const thaw_matrix_update *m, float *slot, size_t count)
{
    const thaw_part own = thaw_matrix_part(m, count);
    for (size_t i = own.first; i < own.past; i++)
        slot[i] += (float)m->step;
}

static void matrix(const thaw_matrix_update *m)
{
    const size_t r = m->rows, c = m->columns, counts[] = { r * c, r, c, r * r, c * c, 1 };
    for (size_t k = 0; k < THAW_COUNT(counts); k++)
        fill(m, m->slot[k], counts[k]);
    thaw_matrix_multiply(m, &(thaw_matrix_product){ .rows = c,
                                                    .columns = c,
                                                    .depth = r,
                                                    .left = m->gradient,
                                                    .left_transposed = true,
                                                    .right = m->gradient,
                                                    .symmetric = true,
                                                    .factor = 1,
                                                    .result = m->scratch });
    const thaw_part own = thaw_matrix_part(m, r);
    for (size_t i = own.first; i < own.past; i++)
        for (size_t j = 0; j < c; j++)
            m->parameter[i * c + j] -= (float)m->scalar[0] * m->scratch[i % c * c + j];
}

static const thaw_optimizer_module gram_steps = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "gram-steps",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = slots,
    .slot_count = THAW_COUNT(slots),
    .slot_shapes = slot_shapes,
    .suits = suits,
    .fallback = "sgd",
    .scratch = scratch,
    .flops = flops,
    .matrix = matrix,
};

static const thaw_shape shapes[] = { { 2, { 3, 5 } }, { 1, { 9 } }, { 4, { 2, 3, 2, 2 } } };
enum { COUNT = THAW_COUNT(shapes) };

static thaw_context *context;
static thaw_parameter_set set;

static void optimize(const char *settings)
{
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create_from(context, &gram_steps, settings, &optimizer));
    for (size_t i = 0; i < set.group_count; i++) {
        thaw_optimizer_destroy(set.groups[i]->optimizer);
        set.groups[i]->optimizer = thaw_optimizer_retain(optimizer);
    }
    thaw_optimizer_destroy(optimizer);
}

static void set_up(void)
{
    context = support_context(2);
    set = matrices_create(context, shapes, COUNT);
    optimize(NULL);
}

static void tear_down(void)
{
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

TestSuite(matrix_stage, .init = set_up, .fini = tear_down);

static double stepped(size_t parameter, size_t i, size_t j, double rate)
{
    const thaw_parameter *p = set.parameters[parameter];
    const size_t columns = thaw_parameter_columns(p), row = i % columns;
    float before[64];
    double sum = 0;
    support_fill(before, p->count, 100 + (uint32_t)parameter);
    for (size_t k = 0; k < thaw_parameter_rows(p); k++)
        sum += (double)p->gradient[k * columns + row] * (double)p->gradient[k * columns + j];
    return (double)before[i * columns + j] - rate * sum;
}

Test(matrix_stage, sees_convolutions_as_a_row_an_output)
{
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    parameters_fill_gradients(&set, 7);
    assert_ok(context, thaw_update_list_run(list, 0.5, 0.25));
    for (size_t p = 0; p < COUNT; p += 2) {
        const size_t rows = p ? 2 : 3, columns = p ? 12 : 5;
        cr_assert_eq(thaw_parameter_rows(set.parameters[p]), rows);
        for (size_t i = 0; i < rows * columns; i++)
            cr_assert_float_eq(set.parameters[p]->data[i], stepped(p, i / columns, i % columns, 0.25), 1e-6);
        const size_t counts[] = { rows * columns, rows, columns, rows * rows, columns * columns, 1 };
        for (size_t k = 0; k < THAW_COUNT(counts); k++) {
            const thaw_shape shape = thaw_parameter_slot_shape(set.parameters[p], k);
            cr_assert_eq(thaw_shape_count(&shape), counts[k], "%s", slots[k]);
            const float *state = set.parameters[p]->slot[k];
            for (size_t i = 0; i < counts[k]; i++)
                cr_assert_eq(state[i], 1, "%s[%zu]", slots[k], i);
        }
    }
    thaw_update_list_release(list);
}

Test(matrix_stage, leaves_what_does_not_suit_to_the_fallback)
{
    float before[9];
    memcpy(before, set.parameters[1]->data, sizeof before);
    optimize("lr=0.5,sgd_lr=0.125");
    set.groups[1]->learning_rate = 0.25; /* half of the optimizer's, so half of the fallback's */
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    parameters_fill_gradients(&set, 7);
    assert_ok(context, thaw_update_list_run(list, 0.5, 1));
    cr_assert_str_eq(thaw_parameter_module(set.parameters[0])->name, "gram-steps");
    cr_assert_str_eq(thaw_parameter_module(set.parameters[1])->name, "sgd");
    for (size_t i = 0; i < 9; i++)
        cr_assert_float_eq(set.parameters[1]->data[i], before[i] - 0.125F / 4 * set.parameters[1]->gradient[i], 1e-7);
    for (size_t k = 0; k < THAW_MAX_SLOTS; k++)
        cr_assert_null(set.parameters[1]->slot[k], "sgd without momentum has no state");
    cr_assert_null(thaw_parameter_state(set.parameters[1], "whole"));
    thaw_update_list_release(list);
}

Test(matrix_stage, leaves_tables_and_what_is_no_weight_to_the_fallback)
{
    set.parameters[0]->table = true;
    set.parameters[2]->role = THAW_SCALE;
    for (size_t i = 0; i < COUNT; i++)
        cr_assert_str_eq(thaw_parameter_module(set.parameters[i])->name, "sgd", "parameter %zu", i);
}

/* The module sees the whole matrix; only what is held is put back. */
Test(matrix_stage, keeps_the_bytes_of_what_is_held)
{
    float before[15], free[15];
    memcpy(before, set.parameters[0]->data, sizeof before);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    parameters_fill_gradients(&set, 7);
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    memcpy(free, set.parameters[0]->data, sizeof free);
    memcpy(set.parameters[0]->data, before, sizeof before);
    uint64_t *held = thaw_allocate_array(context, 1, sizeof *held);
    *held = 0x5A36;
    assert_ok(context, thaw_update_list_hold(list, 0, held));
    parameters_fill_gradients(&set, 7);
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    for (size_t i = 0; i < 15; i++)
        cr_assert(memcmp(&set.parameters[0]->data[i], thaw_bit(held, i) ? &before[i] : &free[i], 4) == 0,
                  "element %zu is %.9g", i, (double)set.parameters[0]->data[i]);
    thaw_update_list_release(list);
}

Test(matrix_stage, continues_with_its_state_after_a_pause)
{
    for (int part = 0; part < 2; part++) {
        thaw_update_list *list = parameters_list(&set, 0, COUNT);
        parameters_fill_gradients(&set, 7);
        assert_ok(context, thaw_update_list_run(list, 1, 1));
        thaw_update_list_release(list);
    }
    cr_assert_eq(*(const float *)set.parameters[0]->slot[5], 1 + 2);
    cr_assert_eq(set.parameters[0]->slot_steps[5], 2);
}

Test(matrix_stage, that_overflows_is_suspect)
{
    thaw_update_list *list = parameters_list(&set, 0, 1);
    for (size_t i = 0; i < 15; i++)
        set.parameters[0]->gradient[i] = 1e30F;
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    cr_assert(thaw_update_list_suspect(list));
    parameters_fill_gradients(&set, 7);
    support_fill(set.parameters[0]->data, 15, 1);
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    cr_assert_not(thaw_update_list_suspect(list));
    thaw_update_list_release(list);
}

/* ---- what is refused ---- */

static void spans(const thaw_update *update)
{
    (void)update;
}

static void assert_refused(const thaw_optimizer_module *module, const char *text)
{
    thaw_optimizer *optimizer;
    assert_fails(context, thaw_optimizer_create_from(context, module, NULL, &optimizer), THAW_INVALID_ARGUMENT, text);
}

Test(matrix_stage, of_a_module_that_contradicts_itself_is_refused)
{
    thaw_optimizer_module odd = gram_steps;
    odd.update = spans;
    assert_refused(&odd, "it has matrix, and with it update");
    odd.matrix = NULL;
    assert_refused(&odd, "it has scratch, flops, decomposed_side or has_slot without matrix");
    odd = gram_steps;
    odd.matrix = NULL;
    assert_refused(&odd, "it has no update function");
    odd = gram_steps;
    odd.suits = NULL;
    assert_refused(&odd, "of suits and fallback, it has one without the other");
    odd = gram_steps;
    odd.fallback = "muon";
    assert_refused(&odd, "gram-steps: its fallback, muon, must be for all parameters");
}

Test(matrix_stage, of_a_module_with_an_unknown_fallback_is_refused)
{
    thaw_optimizer *optimizer;
    thaw_optimizer_module odd = gram_steps;
    odd.fallback = "adamm";
    assert_fails(context, thaw_optimizer_create_from(context, &odd, NULL, &optimizer), THAW_NOT_FOUND, "adamm");
}

/* ---- memory ---- */

typedef struct memory_run {
    support_allocator allocator;
    thaw_context *context;
} memory_run;

static thaw_status train_once(void *user)
{
    memory_run *run = user;
    thaw_update_list *list = NULL;
    thaw_parameter_set own = matrices_create(context, shapes, COUNT);
    own.context = run->context;
    thaw_optimizer *optimizer = NULL;
    thaw_status status = thaw_optimizer_create_from(run->context, &gram_steps, NULL, &optimizer);
    for (size_t i = 0; status == THAW_OK && i < COUNT; i++)
        own.groups[i]->optimizer = thaw_optimizer_retain(optimizer);
    if (status == THAW_OK)
        status = thaw_update_list_create(run->context, own.parameters, COUNT, 0, &list);
    uint64_t *held = status == THAW_OK ? thaw_allocate_array(run->context, 1, sizeof *held) : NULL;
    if (status == THAW_OK)
        status = held ? thaw_update_list_hold(list, 0, held) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK) {
        const size_t calls = run->allocator.calls;
        status = thaw_update_list_run(list, 1, 1);
        cr_assert_eq(run->allocator.calls, calls, "a step allocates");
    }
    thaw_update_list_release(list);
    for (size_t i = 0; i < COUNT; i++) {
        thaw_parameter_release_state(run->context, own.parameters[i]);
        thaw_optimizer_destroy(own.groups[i]->optimizer);
        own.groups[i]->optimizer = NULL;
    }
    thaw_optimizer_destroy(optimizer);
    own.context = context;
    thaw_set_release(&own);
    return status;
}

Test(matrix_stage, allocates_before_the_first_step_and_fails_cleanly)
{
    memory_run run = { .allocator = { 0 } };
    run.context = support_context_on(&run.allocator);
    cr_assert_geq(support_fail_each(&run.allocator, train_once, &run), 20);
    thaw_context_destroy(run.context);
}
