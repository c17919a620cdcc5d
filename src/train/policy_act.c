/* Carries out what a policy decides. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "core/digest.h"
#include "core/printable.h"
#include "train/policy_run.h"

enum { DEFAULT_COMPILATIONS = 200 };

/* ---- checking ---- */

static thaw_status refuse(const thaw_trainer *trainer, const thaw_policy_action *action, const char *why)
{
    const char *name = thaw_policy_act_name(action->act);
    return thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT, "policy %s, %s blocks %zu to %zu: %s",
                     trainer->policy->policy->name, name ? name : "unknown action on", action->first, action->last,
                     why);
}

static thaw_status check(const thaw_trainer *trainer, thaw_policy_action *action)
{
    const thaw_policy_run *run = trainer->policy;
    if (action->act != THAW_POLICY_FREEZE && action->act != THAW_POLICY_UNFREEZE && action->act != THAW_POLICY_RATE)
        return refuse(trainer, action, "there is no such action");
    if (action->first > action->last || action->last >= run->block_count)
        return thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT,
                         "policy %s, %s blocks %zu to %zu: the network has the blocks 0 to %zu", run->policy->name,
                         thaw_policy_act_name(action->act), action->first, action->last, run->block_count - 1);
    if (action->act == THAW_POLICY_RATE && !(isfinite(action->value) && action->value >= 0))
        return refuse(trainer, action, "the rate's factor must be finite and not negative");
    return THAW_OK;
}

/* A block's part of the state of freezing after the decision. */
static bool will_train(const thaw_policy_run *run, const thaw_policy_actions *actions, size_t block)
{
    bool trains = run->blocks[block].trains;
    for (size_t i = 0; i < actions->count && !run->blocks[block].fixed; i++) {
        const thaw_policy_action *action = &actions->action[i];
        if (block >= action->first && block <= action->last && action->act != THAW_POLICY_RATE)
            trains = action->act == THAW_POLICY_UNFREEZE;
    }
    return trains;
}

static thaw_status check_all(const thaw_trainer *trainer, thaw_policy_actions *actions)
{
    const thaw_policy_run *run = trainer->policy;
    if (actions->count > THAW_POLICY_MOST_ACTIONS)
        return thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT,
                         "policy %s: a decision of %zu actions, must be at most %d", run->policy->name, actions->count,
                         THAW_POLICY_MOST_ACTIONS);
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < actions->count && status == THAW_OK; i++)
        status = check(trainer, &actions->action[i]);
    bool any = false, before = false;
    for (size_t b = 0; b < run->block_count && status == THAW_OK; b++) {
        any = any || will_train(run, actions, b);
        before = before || run->blocks[b].trains;
    }
    if (status == THAW_OK && before && !any)
        status = thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT,
                           "policy %s: it freezes all blocks, at least one must train", run->policy->name);
    return status;
}

/* ---- counting ---- */

static uint64_t state_after(const thaw_policy_run *run, const thaw_policy_actions *actions)
{
    thaw_digest digest = { 0 };
    for (size_t b = 0; b < run->block_count; b++)
        thaw_digest_add_number(&digest, will_train(run, actions, b));
    return digest.lane[0];
}

/* Puts a state in front of those that are known; returns whether it was. */
static bool remember(thaw_policy_run *run, uint64_t state)
{
    size_t at = 0;
    while (at < run->known_count && run->known[at] != state)
        at++;
    const bool known = at < run->known_count;
    if (!known && run->known_count < THAW_POLICY_KNOWN_STATES)
        at = run->known_count++;
    else if (!known)
        at = run->known_count - 1;
    memmove(run->known + 1, run->known, at * sizeof *run->known);
    run->known[0] = state;
    return known;
}

/* ---- acting ---- */

static void tell(const thaw_trainer *trainer, const thaw_policy_action *action, int epoch, size_t trainable)
{
    const thaw_policy_run *run = trainer->policy;
    const thaw_policy_effect effect = {
        .epoch = epoch,
        .step = trainer->position.all_steps,
        .act = action->act,
        .first = action->first,
        .last = action->last,
        .blocks = run->block_count,
        .first_name = run->names[action->first],
        .last_name = run->names[action->last],
        .value = action->value,
        .reason = action->reason,
        .trainable_parameters = trainable,
    };
    if (trainer->options.on_action)
        trainer->options.on_action(trainer->options.user, &effect);
}

static void set_block(thaw_trainer *trainer, size_t block, bool trains, bool drops_state)
{
    thaw_policy_run *run = trainer->policy;
    for (size_t i = 0; i < run->parameter_count; i++) {
        thaw_watched_parameter *watched = &run->parameters[i];
        if (watched->block != block)
            continue;
        watched->parameter->override = trains ? watched->override : THAW_OVERRIDE_FROZEN;
        if (!trains && drops_state)
            thaw_parameter_release_state(trainer->model->context, watched->parameter);
    }
    for (size_t i = 0; i < run->group_count; i++)
        if (run->groups[i].block == block)
            run->groups[i].group->trainable = trains;
    run->blocks[block].trains = trains;
    trainer->model->parameters.revision++;
    trainer->model->parameters.freezings++;
}

static void set_rate(thaw_policy_run *run, size_t block, double factor)
{
    run->blocks[block].rate = factor;
    for (size_t i = 0; i < run->group_count; i++) {
        thaw_watched_group *watched = &run->groups[i];
        if (watched->block != block)
            continue;
        watched->group->learning_rate = watched->rate;
        if (factor != 1)
            watched->group->learning_rate = factor * thaw_group_learning_rate(watched->group);
    }
}

/* Returns whether anything has changed. */
static bool act(thaw_trainer *trainer, const thaw_policy_action *action)
{
    thaw_policy_run *run = trainer->policy;
    bool changed = false;
    for (size_t b = action->first; b <= action->last; b++) {
        const thaw_policy_block *block = &run->blocks[b];
        const bool trains = action->act == THAW_POLICY_UNFREEZE;
        const bool rate = action->act == THAW_POLICY_RATE;
        if (block->fixed || (rate ? block->rate == action->value : block->trains == trains))
            continue;
        if (rate)
            set_rate(run, b, action->value);
        else
            set_block(trainer, b, trains, action->drops_state);
        changed = true;
    }
    return changed;
}

/* From now on, what trains stays as it is. */
static void rest(thaw_trainer *trainer, int epoch, size_t most)
{
    thaw_policy_run *run = trainer->policy;
    thaw_policy_action limit = { .act = THAW_POLICY_LIMIT, .last = run->block_count - 1 };
    run->rests = true;
    snprintf(limit.reason, sizeof limit.reason,
             "it has changed what trains so often that %zu plans were compiled, the limit", most);
    thaw_log(trainer->model->context, THAW_LOG_WARNING, "policy %s rests from epoch %d on: %s", run->policy->name,
             epoch, limit.reason);
    tell(trainer, &limit, epoch, thaw_model_summary_totals(trainer->model).trainable_parameters);
}

thaw_status thaw_policy_act_out(thaw_trainer *trainer, thaw_policy_actions *actions, int epoch)
{
    thaw_policy_run *run = trainer->policy;
    const size_t given = trainer->options.policy_compilations, most = given ? given : DEFAULT_COMPILATIONS;
    const thaw_status status = check_all(trainer, actions);
    if (status != THAW_OK)
        return status;
    if (!run->known_count)
        remember(run, state_after(run, &(thaw_policy_actions){ .count = 0 }));
    const uint64_t state = state_after(run, actions);
    const bool switches = state != run->known[0];
    if (switches && !remember(run, state) && ++run->compilations > most) {
        rest(trainer, epoch, most);
        return THAW_OK;
    }
    bool changed[THAW_POLICY_MOST_ACTIONS];
    for (size_t i = 0; i < actions->count; i++)
        changed[i] = act(trainer, &actions->action[i]);
    if (switches)
        run->changed_at = trainer->position.all_steps;
    const size_t trainable = thaw_model_summary_totals(trainer->model).trainable_parameters;
    for (size_t i = 0; i < actions->count; i++) {
        char raw[THAW_POLICY_REASON_BYTES];
        memcpy(raw, actions->action[i].reason, sizeof raw - 1);
        raw[sizeof raw - 1] = '\0';
        thaw_copy_printable(actions->action[i].reason, sizeof actions->action[i].reason, raw);
        if (changed[i])
            tell(trainer, &actions->action[i], epoch, trainable);
    }
    return THAW_OK;
}
