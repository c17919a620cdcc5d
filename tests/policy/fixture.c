#include "policy/fixture.h"

policy_fixture policy_open(const char *name, const char *path)
{
    policy_fixture made = { .context = support_context(1) };
    made.model = support_network(made.context, false);
    support_optimize(made.model, "sgd:lr=1");
    assert_ok(made.context, thaw_strategy_create(made.context, name, path, &made.strategy));
    cr_assert_str_eq(made.strategy->name, name);
    return made;
}

void policy_close(policy_fixture *made)
{
    thaw_strategy_destroy(made->context, made->strategy);
    thaw_model_destroy(made->model);
    thaw_context_destroy(made->context);
}

void policy_assert_trains(const policy_fixture *f, const char *head, int epoch, int epochs, const char *expected)
{
    char found[NETWORK_GROUPS + 1] = { 0 };
    assert_ok(f->context, thaw_strategy_apply(f->strategy, f->model, head, epoch, epochs));
    for (int i = 0; i < NETWORK_GROUPS; i++) {
        thaw_trainability trains;
        assert_ok(f->context, thaw_model_trainability(f->model, network_groups[i], &trains));
        found[i] = "-PT"[trains];
    }
    cr_assert_str_eq(found, expected, "%s, epoch %d: %s, wanted %s", f->strategy->name, epoch, found, expected);
}
