/* What policies did in a run, for the file. */
#include "compare/comparison.h"

void thaw_record_action(json_t *actions, const thaw_policy_effect *effect)
{
    json_t *object = json_pack("{sisIsssIsIssssss}", "epoch", effect->epoch, "step", (json_int_t)effect->step, "action",
                               thaw_policy_act_name(effect->act), "first", (json_int_t)effect->first, "last",
                               (json_int_t)effect->last, "first_name", effect->first_name, "last_name",
                               effect->last_name, "reason", effect->reason);
    if (object && effect->act == THAW_POLICY_RATE)
        json_object_set_new(object, "value", json_real(effect->value));
    json_array_append_new(actions, object);
}
