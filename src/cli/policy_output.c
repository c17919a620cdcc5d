#include "cli/policy_output.h"

#include <stdio.h>
#include <string.h>

#include "cli/json.h"
#include "cli/shown.h"

static void print_json(const thaw_policy_effect *effect)
{
    json_t *object = json_object();
    json_object_set_new(object, "event", json_string("action"));
    json_object_set_new(object, "epoch", json_integer(effect->epoch));
    json_object_set_new(object, "step", cli_json_count(effect->step));
    json_object_set_new(object, "action", json_string(thaw_policy_act_name(effect->act)));
    json_object_set_new(object, "first", cli_json_count(effect->first));
    json_object_set_new(object, "last", cli_json_count(effect->last));
    json_object_set_new(object, "blocks", cli_json_count(effect->blocks));
    json_object_set_new(object, "first_name", cli_json_text(effect->first_name));
    json_object_set_new(object, "last_name", cli_json_text(effect->last_name));
    if (effect->act == THAW_POLICY_RATE)
        json_object_set_new(object, "value", cli_json_real(effect->value));
    json_object_set_new(object, "reason", cli_json_text(effect->reason));
    json_object_set_new(object, "trainable_parameters", cli_json_count(effect->trainable_parameters));
    cli_json_print(object);
}

static void print_line(const thaw_policy_effect *effect)
{
    static const char *const verbs[] = { "freeze", "thaw", "rate of", "the policy rests:" };
    printf("epoch %d, step %zu: %s ", effect->epoch, effect->step, verbs[effect->act]);
    if (effect->act != THAW_POLICY_LIMIT)
        printf("%s", cli_show(effect->first_name).text);
    if (effect->act != THAW_POLICY_LIMIT && effect->last > effect->first)
        printf(" to %s", cli_show(effect->last_name).text);
    if (effect->act == THAW_POLICY_RATE)
        printf(" times %g", effect->value);
    printf("%s%s; %zu parameters train\n", effect->act == THAW_POLICY_LIMIT ? "" : ": ", effect->reason,
           effect->trainable_parameters);
    fflush(stdout);
}

void cli_policy_on_action(void *user, const thaw_policy_effect *effect)
{
    cli_training *now = user;
    cli_progress_clear(&now->progress);
    if (now->options->json)
        print_json(effect);
    else
        print_line(effect);
    thaw_action_log_add(now->actions, effect);
}
