#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/planted.h"

static void describe(char description[1024], const char *settings)
{
    snprintf(description, 1024, "%s/own_policy.so%s", getenv("THAW_EXAMPLES"), settings);
}

Test(own_policy, freezes_what_hardly_moves)
{
    char description[1024], trains[PLANTED_MOST + 1];
    describe(description, ":share=1%");
    planted run = planted_open(description, 4);
    cr_assert_str_eq(run.policy->module.name, "own_policy");
    cr_assert_eq(run.policy->module.watches(run.policy->settings), (unsigned)(THAW_WATCH_WEIGHTS | THAW_WATCH_UPDATES));
    for (size_t b = 0; b < 4; b++)
        run.blocks[b].weight_norm = 2;
    const double updates[][2] = { { 0.001, 0.001 }, { 0.021, 0.001 }, { 0.019, 0.03 }, { 0, 0.019 }, { 0, 0 } };
    const char *const expected[] = { "TTTT", "TTTT", "-TTT", "--TT", "--TT" };
    run.blocks[2].update_norm = 1;
    for (size_t step = 0; step < THAW_COUNT(updates); step++) {
        run.blocks[0].update_norm = updates[step][0];
        run.blocks[1].update_norm = updates[step][1];
        planted_decide(&run, step);
        cr_assert_str_eq(planted_trains(&run, trains), expected[step], "step %zu: %s", step, trains);
    }
    planted_close(&run);
}

Test(own_policy, has_settings)
{
    char description[1024];
    thaw_context *context = support_context(1);
    thaw_policy *policy;
    describe(description, ":every=7");
    assert_ok(context, thaw_policy_create(context, description, &policy));
    cr_assert_eq(thaw_policy_get(policy, "every"), 7.0);
    cr_assert_eq(thaw_policy_get(policy, "share"), 0.01);
    thaw_policy_destroy(policy);
    describe(description, ":other=7");
    cr_assert_eq(thaw_policy_create(context, description, &policy), THAW_NOT_FOUND);
    cr_assert_not_null(strstr(thaw_context_message(context), "known: share, every"), "%s",
                       thaw_context_message(context));
    thaw_context_destroy(context);
}
