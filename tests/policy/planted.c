#include "policy/planted.h"

#include <math.h>
#include <string.h>

planted planted_open(const char *description, size_t count)
{
    planted made = { .context = support_context(1), .count = count };
    assert_ok(made.context, thaw_policy_create(made.context, description, &made.policy));
    cr_assert_leq(count, (size_t)PLANTED_MOST);
    for (size_t b = 0; b < count; b++)
        made.blocks[b] = (thaw_policy_block){ .name = "block", .parameters = 1, .trains = true, .rate = 1 };
    const thaw_policy_module *module = &made.policy->module;
    if (module->state_count)
        cr_assert_leq(module->state_count(made.policy->settings, count), THAW_COUNT(made.state));
    return made;
}

void planted_close(planted *made)
{
    thaw_policy_destroy(made->policy);
    thaw_context_destroy(made->context);
}

double planted_number(uint32_t seed, uint32_t index)
{
    uint32_t word = 2654435761U * (seed * 1009U + index + 1U);
    word ^= word >> 15;
    word *= 2246822519U;
    word ^= word >> 13;
    return (double)word / 4294967296.0;
}

void planted_decide(planted *made, size_t step)
{
    made->view.settings = made->policy->settings;
    made->view.state = made->state;
    made->view.blocks = made->blocks;
    made->view.block_count = made->count;
    made->view.prices = made->priced ? made->prices : NULL;
    made->view.draws = made->draws;
    made->view.step = step;
    memset(&made->actions, 0, sizeof made->actions);
    made->policy->module.decide(&made->view, &made->actions);
    cr_assert_leq(made->actions.count, (size_t)THAW_POLICY_MOST_ACTIONS);
    for (size_t i = 0; i < made->actions.count; i++) {
        const thaw_policy_action *action = &made->actions.action[i];
        cr_assert_lt(action->last, made->count);
        cr_assert_leq(action->first, action->last);
        cr_assert(*action->reason);
        for (size_t b = action->first; b <= action->last; b++)
            if (!made->blocks[b].fixed)
                made->blocks[b].trains = action->act == THAW_POLICY_UNFREEZE;
    }
}

const char *planted_trains(const planted *made, char text[PLANTED_MOST + 1])
{
    for (size_t b = 0; b < made->count; b++)
        text[b] = made->blocks[b].trains ? 'T' : '-';
    text[made->count] = '\0';
    return text;
}
