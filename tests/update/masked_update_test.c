/* Updates that hold elements: those keep their bytes, in the parameter and in the optimizer's state; all others get the
   bits of an update of the whole. */
#include <string.h>

#include "params/bits.h"
#include "support/parameters.h"

static const size_t sizes[] = { 1, 63, 64, 65, 511, 512, 513, 1030, 20001 };
enum { COUNT = THAW_COUNT(sizes), STEPS = 3, PATTERNS = 5 };

/* Which elements are held: some, runs as long as the blocks that are looked at, all but one, the odd ones, none. */
static bool is_held(int pattern, size_t index)
{
    switch (pattern) {
    case 0:
        return index * 2654435761U % 7 < 3;
    case 1:
        return index / 600 % 2 == 1;
    case 2:
        return index % 997 != 3;
    case 3:
        return index % 2;
    default:
        return false;
    }
}

static void hold(const thaw_parameter_set *set, thaw_update_list *list, int pattern)
{
    for (size_t i = 0; i < COUNT; i++) {
        const size_t count = set->parameters[i]->count;
        uint64_t *held = thaw_allocate_array(set->context, thaw_bit_words(count), sizeof *held);
        for (size_t k = 0; k < count; k++)
            thaw_set_bit(held, k, is_held(pattern, k));
        thaw_update_list_hold(list, i, held);
    }
}

static thaw_parameter_set train(thaw_context *context, void (*optimize)(thaw_parameter_set *set, const char *text),
                                const char *text, int pattern)
{
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    optimize(&set, text);
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    if (pattern >= 0)
        hold(&set, list, pattern);
    for (uint32_t step = 0; step < STEPS; step++) {
        parameters_fill_gradients(&set, 1000 * step);
        assert_ok(context, thaw_update_list_run(list, 1, 0.5));
    }
    thaw_update_list_release(list);
    return set;
}

static void compare(const thaw_parameter *found, const thaw_parameter *expected, int pattern, const char *text)
{
    float before[20001];
    support_fill(before, found->count, 100 + (uint32_t)(found->random.node));
    for (size_t i = 0; i < found->count; i++) {
        const float wanted = is_held(pattern, i) ? before[i] : expected->data[i];
        cr_assert_eq(memcmp(&found->data[i], &wanted, sizeof wanted), 0, "%s, pattern %d, size %zu: element %zu", text,
                     pattern, found->count, i);
        for (size_t k = 0; k < THAW_MAX_SLOTS; k++) {
            const float *states = found->slot[k], *wanted_states = expected->slot[k];
            const float state = is_held(pattern, i) || !wanted_states ? 0 : wanted_states[i];
            cr_assert(!states || memcmp(&states[i], &state, sizeof state) == 0,
                      "%s, pattern %d, size %zu: slot %zu of element %zu", text, pattern, found->count, k, i);
        }
    }
}

static void check(void (*optimize)(thaw_parameter_set *set, const char *text), const char *text)
{
    for (int threads = 1; threads <= 3; threads += 2) {
        thaw_context *context = support_context(threads);
        thaw_parameter_set expected = train(context, optimize, text, -1);
        for (int pattern = 0; pattern < PATTERNS; pattern++) {
            thaw_parameter_set found = train(context, optimize, text, pattern);
            for (size_t i = 0; i < COUNT; i++)
                compare(found.parameters[i], expected.parameters[i], pattern, text);
            thaw_set_release(&found);
        }
        thaw_set_release(&expected);
        thaw_context_destroy(context);
    }
}

static void optimize_built_in(thaw_parameter_set *set, const char *text)
{
    parameters_optimize(set, 0, COUNT, text);
}

Test(masked_update, holds_elements_under_every_optimizer)
{
    check(optimize_built_in, "sgd:lr=0.1,weight_decay=0.1");
    check(optimize_built_in, "sgd:lr=0.1,momentum=0.9,nesterov=1,weight_decay=0.1");
    check(optimize_built_in, "adam:amsgrad=1,weight_decay=0.1");
    check(optimize_built_in, "adamw:weight_decay=0.1");
    check(optimize_built_in, "rmsprop:momentum=0.9,centered=1,weight_decay=0.1");
    check(optimize_built_in, "ademamix:weight_decay=0.1");
    check(optimize_built_in, "adopt:weight_decay=0.1");
    check(optimize_built_in, "nadam:weight_decay=0.1");
}

/* ---- a user's module: Lion's sign of a mixed momentum ---- */

static const thaw_hyperparameter hyperparameters[] = { { "lr", 0.01, 0, 1 }, { "weight_decay", 0.1, 0, 1 } };

static void update(const thaw_update *u)
{
    for (size_t i = 0; i < u->count; i++) {
        const float mixed = 0.9F * u->slot[0][i] + 0.1F * u->gradient[i];
        u->parameter[i] -= u->scalar[0] * ((mixed > 0 ? 1.0F : -1.0F) + u->scalar[1] * u->parameter[i]);
        u->slot[0][i] = 0.99F * u->slot[0][i] + 0.01F * u->gradient[i];
    }
}

static const thaw_optimizer_module own_module = {
    .size = sizeof(thaw_optimizer_module),
    .abi = THAW_OPTIMIZER_ABI,
    .name = "own",
    .hyperparameters = hyperparameters,
    .hyperparameter_count = THAW_COUNT(hyperparameters),
    .slots = (const char *const[]){ "momentum" },
    .slot_count = 1,
    .update = update,
};

static void optimize_own(thaw_parameter_set *set, const char *text)
{
    thaw_optimizer *optimizer;
    (void)text;
    assert_ok(set->context, thaw_optimizer_create_from(set->context, &own_module, "", &optimizer));
    for (size_t i = 0; i < COUNT; i++)
        set->groups[i]->optimizer = thaw_optimizer_retain(optimizer);
    thaw_optimizer_destroy(optimizer);
}

Test(masked_update, holds_elements_under_a_module_of_ones_own)
{
    check(optimize_own, "own");
}
