/* What a run of the update list does to parameters. */
#include <fenv.h>
#include <math.h>
#include <string.h>

#include "support/parameters.h"

/* ---- arithmetic ---- */

static void assert_element(const thaw_parameter *parameter, size_t index, double expected)
{
    cr_assert(fabs((double)parameter->data[index] - expected) <= 1e-6 * fmax(1, fabs(expected)),
              "%s[%zu] is %.9g, wanted %.9g", parameter->name, index, (double)parameter->data[index], expected);
}

/* Adam with its defaults over gradients g[0..steps), in double. */
static double adam(double p, const double *g, size_t steps)
{
    double m = 0, v = 0;
    for (size_t t = 1; t <= steps; t++) {
        m = 0.9 * m + 0.1 * g[t - 1];
        v = 0.999 * v + 0.001 * g[t - 1] * g[t - 1];
        const double corrected_m = m / (1 - pow(0.9, (double)t)), corrected_v = v / (1 - pow(0.999, (double)t));
        p -= 1e-3 * corrected_m / (sqrt(corrected_v) + 1e-8);
    }
    return p;
}

/* Groups 0 and 2 train from the start, group 1 from the third step on, group 2 not after the fourth. */
Test(update, counts_the_steps_of_each_parameter)
{
    thaw_context *context = support_context(2);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 1, 1, 1 }, 3);
    parameters_optimize(&set, 0, 3, "adam");
    const double g[] = { 0.5, -0.25, 0.75, 0.125, -1, 0.375 };
    const bool trains[6][3] = { { 1, 0, 1 }, { 1, 0, 1 }, { 1, 1, 1 }, { 1, 1, 1 }, { 1, 1, 0 }, { 1, 1, 0 } };
    double starts[3];
    for (size_t i = 0; i < 3; i++)
        starts[i] = (double)set.parameters[i]->data[0];
    for (size_t step = 0; step < 6; step++) {
        thaw_parameter *trained[3];
        thaw_update_list *list;
        size_t count = 0;
        for (size_t i = 0; i < 3; i++)
            if (trains[step][i])
                trained[count++] = set.parameters[i];
        assert_ok(context, thaw_update_list_create(context, trained, count, 0, &list));
        for (size_t i = 0; i < count; i++)
            trained[i]->gradient[0] = (float)g[step];
        assert_ok(context, thaw_update_list_run(list, 1, 1));
        thaw_update_list_release(list);
    }
    assert_element(set.parameters[0], 0, adam(starts[0], g, 6));
    assert_element(set.parameters[1], 0, adam(starts[1], g + 2, 4));
    assert_element(set.parameters[2], 0, adam(starts[2], g, 4));
    const uint64_t steps[] = { 6, 4, 4 };
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(set.parameters[i]->steps, steps[i], "parameter %zu", i);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

/* An overflow, an infinity less an infinity, a rate that no float holds; and nothing of all this. */
Test(update, suspects_what_may_not_be_finite)
{
    static const struct {
        const char *optimizer;
        float gradient;
        bool suspect;
    } runs[] = {
        { "sgd:lr=0.5", 1e30F, false },        { "sgd:lr=1e20", 1e30F, true }, { "sgd:lr=1e39", 1e-30F, true },
        { "adam:lr=0.5", 1e10F, false },       { "adam:lr=0.5", 0, false },    { "adam:lr=0.5,eps=0", 0, true },
        { "sgd:lr=1,momentum=0.9", 1, false },
    };
    thaw_context *context = support_context(2);
    for (size_t i = 0; i < THAW_COUNT(runs); i++) {
        thaw_parameter_set set = parameters_create(context, (const size_t[]){ 40, 5000 }, 2);
        parameters_optimize(&set, 0, 2, runs[i].optimizer);
        thaw_update_list *list = parameters_list(&set, 0, 2);
        for (size_t k = 0; k < 40; k++)
            set.parameters[0]->gradient[k] = 1;
        for (size_t k = 0; k < 5000; k++)
            set.parameters[1]->gradient[k] = k == 4999 ? runs[i].gradient : 1;
        feclearexcept(FE_ALL_EXCEPT);
        feraiseexcept(FE_DIVBYZERO);
        assert_ok(context, thaw_update_list_run(list, 1, 1));
        cr_assert_eq(thaw_update_list_suspect(list), runs[i].suspect, "%s, gradient %g", runs[i].optimizer,
                     (double)runs[i].gradient);
        cr_assert(fetestexcept(FE_DIVBYZERO), "the host's flag is gone");
        thaw_update_list_release(list);
        thaw_set_release(&set);
    }
    thaw_context_destroy(context);
}

Test(update, leaves_what_is_not_listed_as_it_is)
{
    thaw_context *context = support_context(2);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 40, 50, 60 }, 3);
    parameters_optimize(&set, 0, 3, "sgd:lr=1,momentum=0.9,weight_decay=0.1");
    thaw_update_list *list = parameters_list(&set, 0, 3);
    parameters_fill_gradients(&set, 5);
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    thaw_update_list_release(list);
    const thaw_parameter *frozen = set.parameters[1];
    float data[50], buffer[50];
    memcpy(data, frozen->data, sizeof data);
    memcpy(buffer, frozen->slot[0], sizeof buffer);
    const uint64_t version = frozen->version;
    thaw_parameter *others[] = { set.parameters[0], set.parameters[2] };
    assert_ok(context, thaw_update_list_create(context, others, 2, 0, &list));
    for (int i = 0; i < 5; i++)
        assert_ok(context, thaw_update_list_run(list, 1, 1));
    cr_assert_eq(memcmp(data, frozen->data, sizeof data), 0);
    cr_assert_eq(memcmp(buffer, frozen->slot[0], sizeof buffer), 0);
    cr_assert_eq(frozen->steps, 1);
    cr_assert_eq(frozen->version, version);
    cr_assert_eq(set.parameters[2]->steps, 6);
    cr_assert_eq(set.parameters[2]->version, version + 5);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

/* Numbers that floats hold exactly, so that plain arithmetic tells what must come out. */
Test(update, applies_rates_decays_and_factors_of_each_group)
{
    thaw_context *context = support_context(2);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 1, 1, 1, 1, 1, 1 }, 6);
    parameters_optimize(&set, 0, 4, "sgd:lr=0.5");
    parameters_optimize(&set, 4, 5, "sgd:lr=2,weight_decay=0.25");
    parameters_optimize(&set, 5, 6, "sgd:lr=1");
    set.groups[1]->weight_decay = 0.5;
    set.groups[2]->learning_rate = 0.125;
    set.groups[3]->learning_rate = 0;
    thaw_update_list *list = parameters_list(&set, 0, 6);
    const double expected[2][6] = {
        /* p = 1, g = 4, factor 0.25: p - 0.25 lr (g + decay p) */
        { 1 - 0.125 * 4, 1 - 0.125 * 4.5, 1 - 0.03125 * 4, 1, 1 - 0.5 * 4.25, 1 - 0.25 * 4 },
        /* the same with the gradient scaled by 0.5 */
        { 1 - 0.125 * 2, 1 - 0.125 * 2.5, 1 - 0.03125 * 2, 1, 1 - 0.5 * 2.25, 1 - 0.25 * 2 },
    };
    for (size_t run = 0; run < 2; run++) {
        for (size_t i = 0; i < 6; i++) {
            set.parameters[i]->data[0] = 1;
            set.parameters[i]->gradient[0] = 4;
        }
        assert_ok(context, thaw_update_list_run(list, 0.25, run ? 0.5 : 1));
        for (size_t i = 0; i < 6; i++)
            cr_assert_eq((double)set.parameters[i]->data[0], expected[run][i], "run %zu, group %zu: %g, wanted %g", run,
                         i, (double)set.parameters[i]->data[0], expected[run][i]);
    }
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

Test(update, scales_every_gradient_once)
{
    const size_t sizes[] = { 1, 17, 100003, 4097 };
    enum { COUNT = THAW_COUNT(sizes) };
    thaw_context *context = support_context(3);
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    parameters_optimize(&set, 0, COUNT, "sgd:lr=1");
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        for (size_t e = 0; e < sizes[i]; e++) {
            set.parameters[i]->data[e] = 0;
            set.parameters[i]->gradient[e] = (float)(e % 1000);
        }
    assert_ok(context, thaw_update_list_run(list, 1, 0.25));
    for (size_t i = 0; i < COUNT; i++)
        for (size_t e = 0; e < sizes[i]; e++)
            cr_assert_eq(set.parameters[i]->data[e], -0.25F * (float)(e % 1000), "size %zu, element %zu", sizes[i], e);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

/* ---- refusals ---- */

Test(update, without_an_optimizer_changes_nothing)
{
    thaw_context *context = support_context(2);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 3, 3 }, 2);
    parameters_optimize(&set, 0, 1, "sgd:lr=1,momentum=0.9");
    thaw_update_list *list = parameters_list(&set, 0, 2);
    parameters_fill_gradients(&set, 3);
    const float before = set.parameters[0]->data[0];
    const uint64_t version = set.parameters[0]->version;
    assert_fails(context, thaw_update_list_run(list, 1, 0.5), THAW_INVALID_ARGUMENT, "group group1 trains and has no");
    cr_assert_eq(set.parameters[0]->data[0], before);
    cr_assert_eq(*(const float *)set.parameters[0]->slot[0], 0);
    cr_assert_eq(set.parameters[0]->steps, 0);
    cr_assert_eq(set.parameters[0]->version, version);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}

/* ---- what a module sees ---- */

static const thaw_hyperparameter probe_hyperparameters[] = { { "lr", 1, 0, 1 }, { "second", 1, 0, 1 } };

static bool probe_uses(const double *values, size_t slot)
{
    return slot == 0 || values[1] != 0;
}

/* Writes 1 where a slot is there, and the step. */
static void probe_update(const thaw_update *update)
{
    update->parameter[0] = update->slot[0] ? 1 : 0;
    update->parameter[1] = update->slot[1] ? 1 : 0;
    update->parameter[2] = (float)update->step;
}

static const thaw_optimizer_module probe = {
    .size = sizeof(thaw_optimizer_module),
    .abi = THAW_OPTIMIZER_ABI,
    .name = "probe",
    .hyperparameters = probe_hyperparameters,
    .hyperparameter_count = 2,
    .slots = (const char *const[]){ "first", "second" },
    .slot_count = 2,
    .uses_slot = probe_uses,
    .update = probe_update,
};

static void assert_seen(const float *seen, float first, float second, float step)
{
    const float expected[] = { first, second, step };
    assert_close(seen, expected, 3, 0, "seen");
}

Test(update, hands_a_module_the_slots_that_its_values_use)
{
    thaw_context *context = support_context(1);
    thaw_parameter_set set = parameters_create(context, (const size_t[]){ 3 }, 1);
    assert_ok(context, thaw_optimizer_create_from(context, &probe, NULL, &set.groups[0]->optimizer));
    thaw_update_list *list = parameters_list(&set, 0, 1);
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    assert_seen(set.parameters[0]->data, 1, 1, 1);
    assert_ok(context, thaw_optimizer_set(set.groups[0]->optimizer, "second", 0));
    assert_ok(context, thaw_update_list_run(list, 1, 1));
    assert_seen(set.parameters[0]->data, 1, 0, 2);
    thaw_update_list_release(list);
    thaw_set_release(&set);
    thaw_context_destroy(context);
}
