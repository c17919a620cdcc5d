/* Optimizers around others. */
#include <stdlib.h>
#include <string.h>

#include "params/bits.h"
#include "support/allocator.h"
#include "support/matrices.h"
#include "update/perturb.h"

static const thaw_shape shapes[] = { { 2, { 24, 40 } }, { 1, { 33 } }, { 4, { 6, 5, 3, 3 } }, { 2, { 70, 70 } } };
enum { COUNT = THAW_COUNT(shapes), STEPS = 6 };

static thaw_context *context;

static void set_up(void)
{
    context = support_context(2);
}

static void tear_down(void)
{
    thaw_context_destroy(context);
}

TestSuite(wrappers, .init = set_up, .fini = tear_down);

static thaw_parameter_set train(const char *description, uint32_t steps)
{
    thaw_parameter_set set = matrices_create(context, shapes, COUNT);
    parameters_optimize(&set, 0, COUNT, description);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    for (uint32_t step = 1; step <= steps; step++) {
        parameters_fill_gradients(&set, 1000 * step);
        assert_ok(context, thaw_update_list_run(list, 1, 0.5));
    }
    thaw_update_list_release(list);
    return set;
}

/* ---- a user's wrapper: what it is shown ---- */

enum { OWN, SHOWN };

static void begin_own(const thaw_update *u, size_t slot)
{
    if (slot == OWN)
        memcpy(u->slot[OWN], u->parameter, u->count * sizeof(float));
}

static void sum_moved(const thaw_update *u, double *sums)
{
    for (size_t i = 0; i < u->count; i++) {
        sums[0] += (double)(u->parameter[i] - u->before[i]);
        sums[1] += (double)u->gradient[i];
    }
}

static void conclude_moved(const thaw_conclusion *c, double *scalars)
{
    scalars[1] = c->own[0] / c->own[1];
}

static void show(const thaw_update *u)
{
    for (size_t i = 0; i < u->count; i++) {
        u->slot[SHOWN][i] = u->scalar[1];
        u->parameter[i] = u->slot[OWN][i] + u->scalar[0] * (u->parameter[i] - u->before[i]);
    }
}

static const thaw_hyperparameter factor[] = { { "factor", 2, 0, 10 } };

static const thaw_optimizer_module shower = {
    THAW_OPTIMIZER_MODULE_HEAD,
    .name = "shower",
    .hyperparameters = factor,
    .hyperparameter_count = 1,
    .slots = (const char *const[]){ [OWN] = "own", [SHOWN] = "shown" },
    .slot_count = 2,
    .wraps = true,
    .compares = true,
    .begin = begin_own,
    .sum_count = 2,
    .sums = sum_moved,
    .conclude = conclude_moved,
    .update = show,
};

static void optimize_from(const thaw_parameter_set *set, const thaw_optimizer_module *module, const char *settings)
{
    thaw_optimizer *optimizer = NULL;
    assert_ok(context, thaw_optimizer_create_from(context, module, settings, &optimizer));
    for (size_t i = 0; i < set->group_count; i++)
        set->groups[i]->optimizer = thaw_optimizer_retain(optimizer);
    thaw_optimizer_destroy(optimizer);
}

/* Steps of SGD go down by half of the gradient, which is clipped to a quarter. */
Test(wrappers, see_the_step_and_the_gradient_of_it)
{
    static float gradient[4900];
    thaw_parameter_set set = matrices_create(context, shapes, COUNT);
    optimize_from(&set, &shower, "factor=3/sgd:lr=0.5");
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    parameters_fill_gradients(&set, 7);
    memcpy(gradient, set.parameters[3]->gradient, sizeof gradient);
    assert_ok(context, thaw_update_list_run(list, 1, 0.25));
    const float *own = thaw_parameter_state(set.parameters[3], "own");
    const float *shown = thaw_parameter_state(set.parameters[3], "shown");
    cr_assert_float_eq(shown[17], -0.5, 1e-4, "%g", (double)shown[17]);
    for (size_t i = 0; i < 4900; i++) {
        const float expected = own[i] - 3 * 0.5F * 0.25F * gradient[i];
        cr_assert_float_eq(set.parameters[3]->data[i], expected, 1e-6, "%zu: %g", i,
                           (double)set.parameters[3]->data[i]);
    }
    thaw_update_list_release(list);
    thaw_set_release(&set);
}

/* ---- the built-in ones ---- */

/* All of a step of plain SGD goes down along the gradient. */
Test(wrappers, caution_leaves_plain_descent_alone)
{
    thaw_parameter_set plain = train("sgd:lr=0.25", STEPS), cautious = train("cautious/sgd:lr=0.25", STEPS);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < plain.parameters[i]->count; k++)
            cr_assert_float_eq(cautious.parameters[i]->data[k], plain.parameters[i]->data[k], 1e-6);
    thaw_set_release(&plain);
    thaw_set_release(&cautious);
}

/* Lookahead of one step and alpha=0.5 halves the steps of SGD; in `cautious`, they stay so. */
Test(wrappers, wrap_each_other_from_the_inside_out)
{
    thaw_parameter_set plain = train("sgd:lr=0.125", STEPS);
    thaw_parameter_set nested = train("cautious/lookahead:k=1/sgd:lr=0.25", STEPS);
    cr_assert_str_eq(thaw_optimizer_name(nested.groups[0]->optimizer), "cautious/lookahead/sgd");
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < plain.parameters[i]->count; k++)
            cr_assert_float_eq(nested.parameters[i]->data[k], plain.parameters[i]->data[k], 1e-6);
    thaw_set_release(&plain);
    thaw_set_release(&nested);
}

static const char *const descriptions[] = {
    "lookahead:k=2/adamw:lr=0.01", "cautious/adamw:lr=0.01",           "lookahead:k=2/muon:lr=0.02",
    "cautious/muon:lr=0.02",       "cautious/lookahead:k=3/adam",      "lookahead:k=2/cautious/lamb:lr=0.01",
    "lookahead/prodigy:d0=1e-3",   "lookahead:k=2/sgd:lr=0.1,wd=0.01",
};

Test(wrappers, are_the_same_to_the_bit_for_any_number_of_threads)
{
    for (size_t d = 0; d < THAW_COUNT(descriptions); d++)
        matrices_assert_threads_agree(descriptions[d]);
}

Test(wrappers, keep_the_bytes_of_what_is_held)
{
    for (size_t d = 0; d < THAW_COUNT(descriptions); d++) {
        thaw_parameter_set set = matrices_create(context, shapes, COUNT);
        parameters_optimize(&set, 0, COUNT, descriptions[d]);
        thaw_update_list *list = parameters_list(&set, 0, COUNT);
        const size_t count = set.parameters[0]->count;
        uint64_t *held = thaw_allocate_array(context, thaw_bit_words(count), sizeof *held);
        for (size_t i = 0; i < count; i++)
            thaw_set_bit(held, i, i % 3 == 0 || (i > 500 && i < 700));
        float before[24 * 40];
        memcpy(before, set.parameters[0]->data, sizeof before);
        assert_ok(context, thaw_update_list_hold(list, 0, held));
        for (uint32_t step = 1; step <= STEPS; step++) {
            parameters_fill_gradients(&set, 1000 * step);
            thaw_update_list_clear_held(list, 0);
            assert_ok(context, thaw_update_list_run(list, 1, 0.5));
        }
        size_t moved = 0;
        for (size_t i = 0; i < count; i++) {
            const bool same = memcmp(&before[i], &set.parameters[0]->data[i], sizeof(float)) == 0;
            cr_assert(same || !thaw_bit(held, i), "%s: element %zu", descriptions[d], i);
            moved += !same;
        }
        cr_assert_gt(moved, count / 3, "%s", descriptions[d]);
        thaw_update_list_release(list);
        thaw_set_release(&set);
    }
}

/* Moves the parameters, and puts them back. */
Test(wrappers, perturb_alike_for_any_number_of_threads)
{
    float first[70 * 70];
    for (int threads = 1; threads <= 3; threads++) {
        thaw_context *own = support_context(threads);
        thaw_parameter_set set = matrices_create(own, shapes, COUNT);
        parameters_optimize(&set, 0, 3, "lookahead/sam:rho=0.5/adamw");
        parameters_optimize(&set, 3, COUNT, "sam:rho=0.5,adaptive=1/adamw");
        thaw_update_list *list = parameters_list(&set, 0, COUNT);
        float before[70 * 70];
        memcpy(before, set.parameters[3]->data, sizeof before);
        parameters_fill_gradients(&set, 1);
        cr_assert(thaw_update_list_perturbs(list));
        thaw_update_list_perturb(list);
        if (threads == 1)
            memcpy(first, set.parameters[3]->data, sizeof first);
        cr_assert_neq(memcmp(before, set.parameters[3]->data, sizeof before), 0);
        cr_assert_eq(memcmp(first, set.parameters[3]->data, sizeof first), 0, "%d threads", threads);
        cr_assert_eq(set.parameters[3]->steps, 0);
        thaw_update_list_restore(list);
        cr_assert_eq(memcmp(before, set.parameters[3]->data, sizeof before), 0);
        assert_ok(own, thaw_update_list_run(list, 1, 1));
        thaw_update_list_release(list);
        thaw_set_release(&set);
        thaw_context_destroy(own);
    }
}

Test(wrappers, of_some_parameters_leave_the_others_alone)
{
    thaw_parameter_set plain = train("adam:lr=0.01", STEPS), mixed = matrices_create(context, shapes, COUNT);
    parameters_optimize(&mixed, 0, 2, "adam:lr=0.01");
    parameters_optimize(&mixed, 2, 3, "cautious/lookahead:k=2/adam:lr=0.01");
    parameters_optimize(&mixed, 3, COUNT, "lookahead:k=2/adam:lr=0.01");
    thaw_update_list *list = parameters_list(&mixed, 0, COUNT);
    for (uint32_t step = 1; step <= STEPS; step++) {
        parameters_fill_gradients(&mixed, 1000 * step);
        assert_ok(context, thaw_update_list_run(list, 1, 0.5));
    }
    for (size_t i = 0; i < COUNT; i++) {
        const bool same =
            memcmp(plain.parameters[i]->data, mixed.parameters[i]->data, plain.parameters[i]->count * 4) == 0;
        cr_assert_eq(same, i < 2, "parameter %zu", i);
    }
    thaw_update_list_release(list);
    thaw_set_release(&plain);
    thaw_set_release(&mixed);
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
    thaw_optimizer *optimizer = NULL;
    thaw_parameter_set own = matrices_create(context, shapes, COUNT);
    own.context = run->context;
    thaw_status status = thaw_optimizer_create(run->context, "cautious/lookahead:k=2/lamb", &optimizer);
    for (size_t i = 0; status == THAW_OK && i < COUNT; i++)
        own.groups[i]->optimizer = thaw_optimizer_retain(optimizer);
    if (status == THAW_OK)
        status = thaw_update_list_create(run->context, own.parameters, COUNT, 0, &list);
    const size_t calls = run->allocator.calls;
    for (int step = 0; status == THAW_OK && step < 2; step++)
        status = thaw_update_list_run(list, 1, 1);
    if (status == THAW_OK)
        cr_assert_eq(run->allocator.calls, calls, "a step allocates");
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

Test(wrappers, allocate_before_the_first_step_and_fail_cleanly)
{
    memory_run run = { .allocator = { 0 } };
    run.context = support_context_on(&run.allocator);
    cr_assert_geq(support_fail_each(&run.allocator, train_once, &run), 30);
    thaw_context_destroy(run.context);
}
