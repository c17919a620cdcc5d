/* Optimizers whose steps depend on sums over a parameter, or over all of them. */
#include <math.h>
#include <string.h>

#include "params/bits.h"
#include "support/parameters.h"

static const size_t sizes[] = { 1, 15, 16, 63, 100003, 64, 4096, 4097, 2 };
enum { COUNT = THAW_COUNT(sizes), STEPS = 3, MOST_THREADS = 7 };

/* ---- a user's module: steps whose length, over all parameters together, is the learning rate ---- */

static const thaw_hyperparameter hyperparameters[] = { { "lr", 0.5, 0, 1 } };

static void sums(const thaw_update *u, double *sums)
{
    for (size_t i = 0; i < u->count; i++) {
        sums[0] += (double)u->gradient[i] * (double)u->gradient[i];
        sums[1] += 1;
    }
}

static void conclude(const thaw_conclusion *c, double *scalars)
{
    scalars[1] = c->hyperparameter[0] / sqrt(c->all[0]);
    scalars[2] = c->own[1];
}

static void update(const thaw_update *u)
{
    for (size_t i = 0; i < u->count; i++) {
        u->parameter[i] -= u->scalar[1] * u->gradient[i];
        u->slot[0][i] = u->scalar[2];
    }
}

static const thaw_optimizer_module unit_steps = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "unit-steps",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = 1,
    .slots = (const char *const[]){ "counted" },
    .slot_count = 1,
    .sum_count = 2,
    .sums = sums,
    .conclude = conclude,
    .update = update,
};

static void optimize(const thaw_parameter_set *set, size_t first, size_t past)
{
    thaw_optimizer *optimizer = NULL;
    assert_ok(set->context, thaw_optimizer_create_from(set->context, &unit_steps, NULL, &optimizer));
    for (size_t i = first; i < past; i++)
        set->groups[i]->optimizer = thaw_optimizer_retain(optimizer);
    thaw_optimizer_destroy(optimizer);
}

/* The length of the step from the initial values, over parameters [first, past). */
static double moved(const thaw_parameter_set *set, size_t first, size_t past)
{
    static float before[100003];
    double sum = 0;
    for (size_t i = first; i < past; i++) {
        support_fill(before, sizes[i], 100 + (uint32_t)i);
        for (size_t k = 0; k < sizes[i]; k++)
            sum += pow((double)set->parameters[i]->data[k] - (double)before[k], 2);
    }
    return sqrt(sum);
}

Test(sums, are_over_the_parameters_of_one_optimizer)
{
    thaw_context *context = support_context(3);
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    optimize(&set, 0, 4);
    optimize(&set, 4, COUNT - 1);
    parameters_optimize(&set, COUNT - 1, COUNT, "sgd:lr=0");
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    parameters_fill_gradients(&set, 1);
    assert_ok(context, thaw_update_list_run(list, 1, 0.25));
    cr_assert_float_eq(moved(&set, 0, 4), 0.5, 1e-5, "%g", moved(&set, 0, 4));
    cr_assert_float_eq(moved(&set, 4, COUNT - 1), 0.5, 1e-4, "%g", moved(&set, 4, COUNT - 1));
    for (size_t i = 0; i < COUNT - 1; i++)
        cr_assert_eq(((const float *)set.parameters[i]->slot[0])[sizes[i] - 1], (float)sizes[i],
                     "own sums of parameter %zu", i);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(sums, leave_out_what_is_held)
{
    enum { SIZE = 10000 };
    thaw_context *context = support_context(2);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ SIZE }, 1);
    optimize(&set, 0, 1);
    thaw_update_list *list = parameters_list(&set, 0, 1);
    uint64_t *held = thaw_allocate_array(context, thaw_bit_words(SIZE), sizeof *held);
    for (size_t i = 0; i < SIZE; i++)
        thaw_set_bit(held, i, i % 3 == 0 || (i > 4096 && i < 6000));
    float before[SIZE];
    memcpy(before, set.parameters[0]->data, sizeof before);
    thaw_update_list_hold(list, 0, held);
    parameters_fill_gradients(&set, 1);
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    double sum = 0;
    for (size_t i = 0; i < SIZE; i++) {
        const double difference = (double)set.parameters[0]->data[i] - (double)before[i];
        cr_assert(difference == 0 || !thaw_bit(held, i), "element %zu", i);
        sum += difference * difference;
    }
    cr_assert_float_eq(sqrt(sum), 0.5, 1e-5, "%g", sqrt(sum));
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(sums, are_the_same_to_the_bit_for_any_number_of_threads)
{
    static const char *const descriptions[] = { "lamb:lr=0.1", "lars:lr=0.1,weight_decay=0.1", "prodigy:d0=1e-3" };
    for (size_t d = 0; d < THAW_COUNT(descriptions); d++) {
        thaw_parameter_set sets[MOST_THREADS];
        thaw_context *contexts[MOST_THREADS];
        for (int t = 0; t < MOST_THREADS; t++) {
            contexts[t] = support_context(t + 1);
            sets[t] = parameters_create(contexts[t], sizes, COUNT);
            parameters_optimize(&sets[t], 0, COUNT, descriptions[d]);
            thaw_update_list *list = parameters_list(&sets[t], 0, COUNT);
            for (uint32_t step = 0; step < STEPS; step++) {
                parameters_fill_gradients(&sets[t], 1000 * step);
                assert_ok(contexts[t], thaw_update_list_run(list, 0.5, 0.25));
            }
            thaw_update_list_release(list);
            for (size_t i = 0; i < COUNT; i++)
                cr_assert_eq(memcmp(sets[t].parameters[i]->data, sets[0].parameters[i]->data, sizes[i] * sizeof(float)),
                             0, "%s, %d threads: size %zu", descriptions[d], t + 1, sizes[i]);
        }
        for (int t = 0; t < MOST_THREADS; t++) {
            thaw_set_release(&sets[t]);
            thaw_context_destroy(contexts[t]);
        }
    }
}

/* A ratio that is not finite makes parameters NaN without any flag of the floating-point unit. */
Test(sums, that_overflow_are_suspect)
{
    thaw_context *context = support_context(1);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 4 }, 1);
    optimize(&set, 0, 1);
    thaw_update_list *list = parameters_list(&set, 0, 1);
    memset(set.parameters[0]->gradient, 0, 4 * sizeof(float));
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    cr_assert(thaw_update_list_suspect(list), "0.5 / 0 times 0");
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

/* ---- a number that all parameters share ---- */

enum { NUMBER, SEEN };

/* Counts the elements that were updated, over all steps. */
static void conclude_count(const thaw_conclusion *c, double *scalars)
{
    (void)scalars;
    *c->slot[NUMBER] += (float)c->all[1];
}

static void note_number(const thaw_update *u)
{
    for (size_t i = 0; i < u->count; i++)
        u->slot[SEEN][i] = *u->slot[NUMBER];
}

static const thaw_slot_shape shared_shapes[] = { [NUMBER] = THAW_SLOT_SHARED, [SEEN] = THAW_SLOT_WHOLE };

static const thaw_optimizer_module counter = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "counter",
    .slots = (const char *const[]){ [NUMBER] = "number", [SEEN] = "seen" },
    .slot_count = 2,
    .slot_shapes = shared_shapes,
    .sum_count = 2,
    .sums = sums,
    .conclude = conclude_count,
    .update = note_number,
};

static void step_some(const thaw_parameter_set *set, size_t first, size_t past, bool hold)
{
    thaw_update_list *list = parameters_list(set, first, past);
    uint64_t *held = hold ? thaw_allocate_array(set->context, thaw_bit_words(sizes[first]), sizeof *held) : NULL;
    for (size_t i = 0; hold && i < sizes[first]; i += 2)
        thaw_set_bit(held, i, true);
    assert_ok(set->context, thaw_update_list_hold(list, 0, held));
    parameters_fill_gradients(set, 1);
    assert_ok(set->context, thaw_update_list_run(list, 1, 1));
    thaw_update_list_release(list);
}

static void assert_number(const thaw_parameter_set *set, size_t index, size_t number)
{
    const thaw_parameter *parameter = set->parameters[index];
    const float *seen = thaw_parameter_state(parameter, "seen"), *own = thaw_parameter_state(parameter, "number");
    cr_assert_eq(*own, (float)number, "parameter %zu has %g, expected %zu", index, (double)*own, number);
    cr_assert_eq(seen[sizes[index] - 2], (float)number, "parameter %zu saw %g, expected %zu", index,
                 (double)seen[sizes[index] - 2], number);
}

/* Parameters of 15, 16 and 63 elements. */
Test(sums, a_shared_number_goes_on_in_those_that_thaw_late)
{
    thaw_context *context = support_context(2);
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create_from(context, &counter, NULL, &optimizer));
    for (size_t i = 1; i < 4; i++)
        set.groups[i]->optimizer = thaw_optimizer_retain(optimizer);
    thaw_optimizer_destroy(optimizer);
    step_some(&set, 1, 3, false);
    assert_number(&set, 1, 31);
    assert_number(&set, 2, 31);
    step_some(&set, 2, 4, false); /* the first is frozen, the last has no state yet */
    assert_number(&set, 1, 31);
    assert_number(&set, 2, 31 + 79);
    assert_number(&set, 3, 31 + 79);
    step_some(&set, 3, 4, false);
    step_some(&set, 3, 4, false);
    step_some(&set, 1, 4, true); /* 7 of 15 elements of the first are free, and see the number */
    for (size_t i = 1; i < 4; i++)
        assert_number(&set, i, 31 + 79 + 2 * 63 + 7 + 16 + 63);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}
