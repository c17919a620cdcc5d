/* Parameters that are summed and updated in groups get the bits that they get when all are summed before all updates. */
#include <string.h>

#include "params/bits.h"
#include "support/parameters.h"

/* Less than a group together, a group of its own, one over a group's end, and small ones of another optimizer between. */
static const size_t sizes[] = { 5, 4096, 70001, 600000, 3, 300000, 200000, 100000, 17 };
enum { COUNT = THAW_COUNT(sizes), STEPS = 2, OTHER = 4 };

static thaw_parameter_set train(thaw_context *context, const char *description, bool groups, bool holds)
{
    thaw_parameter_set set = parameters_create(context, sizes, COUNT);
    thaw_optimizer *named, *copied;
    assert_ok(context, thaw_optimizer_create(context, description, &named));
    cr_assert(named->module->own_sums, "%s", description);
    thaw_optimizer_module module = *named->module;
    module.own_sums = false;
    assert_ok(context, thaw_optimizer_create_from(context, &module, NULL, &copied));
    memcpy(copied->values, named->values, sizeof copied->values);
    for (size_t i = 0; i < COUNT; i++)
        set.groups[i]->optimizer = thaw_optimizer_retain(groups ? named : copied);
    parameters_optimize(&set, OTHER, OTHER + 1, "adamw");
    thaw_update_list *list = parameters_list(&set, 0, COUNT);
    for (size_t i = 0; holds && i < COUNT; i += 2) {
        uint64_t *held = thaw_allocate_array(context, thaw_bit_words(sizes[i]), sizeof *held);
        for (size_t k = 0; k < sizes[i]; k++)
            thaw_set_bit(held, k, k % 7 == 3);
        assert_ok(context, thaw_update_list_hold(list, i, held));
    }
    for (uint32_t step = 0; step < STEPS; step++) {
        parameters_fill_gradients(&set, 1000 * step);
        assert_ok(context, thaw_update_list_run(list, 0.5, 0.25));
        cr_assert_not(thaw_update_list_suspect(list));
    }
    thaw_update_list_release(list);
    for (size_t i = 0; i < COUNT; i++) {
        thaw_optimizer_destroy(set.groups[i]->optimizer);
        set.groups[i]->optimizer = NULL;
    }
    thaw_optimizer_destroy(copied);
    thaw_optimizer_destroy(named);
    return set;
}

static void assert_same(const thaw_parameter_set *found, const thaw_parameter_set *expected, const char *description,
                        int threads)
{
    for (size_t i = 0; i < COUNT; i++) {
        const thaw_parameter *one = found->parameters[i], *other = expected->parameters[i];
        cr_assert_eq(memcmp(one->data, other->data, one->count * sizeof(float)), 0, "%s, %d threads: size %zu",
                     description, threads, one->count);
        for (size_t k = 0; k < 2; k++)
            cr_assert(!one->slot[k] || memcmp(one->slot[k], other->slot[k], one->count * sizeof(float)) == 0,
                      "%s, %d threads: slot %zu of size %zu", description, threads, k, one->count);
    }
}

static void check(const char *description, bool holds)
{
    thaw_context *alone = support_context(1);
    thaw_parameter_set expected = train(alone, description, false, holds);
    for (int threads = 1; threads <= 4; threads++) {
        thaw_context *context = support_context(threads);
        thaw_parameter_set found = train(context, description, true, holds);
        assert_same(&found, &expected, description, threads);
        thaw_set_release(&found);
        thaw_context_destroy(context);
    }
    thaw_set_release(&expected);
    thaw_context_destroy(alone);
}

Test(sum_groups, give_the_bits_of_all_at_once)
{
    check("lamb:weight_decay=0.1", false);
    check("lars:momentum=0.9,weight_decay=0.1", false);
}

Test(sum_groups, hold_elements)
{
    check("lamb", true);
    check("lars", true);
}
