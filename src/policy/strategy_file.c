/* Strategies as JSON. */
#include <string.h>

#include <jansson.h>

#include "core/nearest.h"
#include "core/printable.h"
#include "io/json_file.h"
#include "policy/strategy.h"

/* The current place in the file. */
typedef struct place {
    thaw_context *context;
    const char *path, *strategy;
    size_t rule;
} place;

static thaw_status refuse(const place *at, const char *why)
{
    return thaw_fail(at->context, THAW_BAD_FORMAT, "%s: strategy \"%.60s\", rule %zu: %s", at->path, at->strategy,
                     at->rule + 1, why);
}

static thaw_status check_keys(const place *at, json_t *object)
{
    static const char *const known[] = { "epoch", "share", "every", "pattern", "action", "value" };
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        bool found = false;
        for (size_t i = 0; i < THAW_COUNT(known); i++)
            found = found || strcmp(key, known[i]) == 0;
        if (!found) {
            thaw_fail_unknown(at->context, "key", key, known, THAW_COUNT(known));
            return refuse(at, thaw_context_message(at->context));
        }
    }
    return THAW_OK;
}

static thaw_status read_time(const place *at, const json_t *object, thaw_strategy_rule *rule)
{
    const json_t *epoch = json_object_get(object, "epoch"), *share = json_object_get(object, "share");
    const json_t *every = json_object_get(object, "every");
    if (!!epoch + !!share + !!every != 1)
        return refuse(at, "must have one of epoch, share and every");
    if (epoch && (!json_is_integer(epoch) || json_integer_value(epoch) < 1 || json_integer_value(epoch) > INT32_MAX))
        return refuse(at, "epoch must be a whole number from 1");
    if (share && !(json_number_value(share) > 0))
        return refuse(at, "share must be a number above 0 and below 1");
    if (every && !json_is_true(every))
        return refuse(at, "every must be true");
    rule->epoch = epoch ? (int)json_integer_value(epoch) : 0;
    rule->share = json_number_value(share);
    return THAW_OK;
}

static thaw_status read_action(const place *at, const json_t *object, thaw_strategy_rule *rule)
{
    enum { MOST_ACTIONS = 16 };
    const char *action = json_string_value(json_object_get(object, "action")), *known[MOST_ACTIONS];
    size_t count = 0;
    bool found = false;
    for (; !found && count < MOST_ACTIONS && (known[count] = thaw_action_name((thaw_action)count)); count++)
        if (action && strcmp(action, known[count]) == 0) {
            rule->action = (thaw_action)count;
            found = true;
        }
    if (!found) {
        thaw_fail_unknown(at->context, "action", action ? action : "", known, count);
        return refuse(at, thaw_context_message(at->context));
    }
    const json_t *value = json_object_get(object, "value");
    if (thaw_action_has_value(rule->action) ? !json_is_number(value) : !!value)
        return refuse(at, value ? "value must be a number for rate, decay and lora, and missing for other actions"
                                : "value is missing, must be a number");
    rule->value = json_number_value(value);
    return THAW_OK;
}

/* The pattern is borrowed from the JSON. */
static thaw_status read_rule(const place *at, json_t *object, thaw_strategy_rule *rule)
{
    if (!json_is_object(object))
        return refuse(at, "must be an object");
    *rule = (thaw_strategy_rule){ .pattern = json_string_value(json_object_get(object, "pattern")) };
    thaw_status status = check_keys(at, object);
    if (status == THAW_OK)
        status = read_time(at, object, rule);
    if (status == THAW_OK)
        status = read_action(at, object, rule);
    if (status == THAW_OK && thaw_rule_check(at->context, rule) != THAW_OK)
        status = refuse(at, thaw_context_message(at->context));
    return status;
}

static thaw_status read_strategy(place *at, const json_t *object, thaw_strategy **strategy)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const char *description = json_string_value(json_object_get(object, "description"));
    const json_t *list = json_object_get(object, "rules");
    if (!name || !*name || strchr(name, ' ') || !thaw_is_printable(name) || !json_is_array(list))
        return thaw_fail(
            at->context, THAW_BAD_FORMAT,
            "%s: a strategy must have a \"name\" of printable characters without blanks and a list of \"rules\"",
            at->path);
    at->strategy = name;
    const size_t count = json_array_size(list);
    thaw_strategy_rule *rules = thaw_allocate_array(at->context, count + 1, sizeof *rules);
    thaw_status status = rules ? THAW_OK : THAW_OUT_OF_MEMORY;
    for (at->rule = 0; status == THAW_OK && at->rule < count; at->rule++)
        status = read_rule(at, json_array_get(list, at->rule), &rules[at->rule]);
    const thaw_strategy read = { name, description ? description : "", rules, count };
    if (status == THAW_OK)
        status = thaw_strategy_copy(at->context, &read, name, 0, strategy);
    thaw_release(at->context, rules);
    return status;
}

thaw_status thaw_strategy_read(thaw_context *context, const char *path, thaw_strategy ***strategies, size_t *count)
{
    *strategies = NULL;
    *count = 0;
    json_t *file;
    thaw_status status = thaw_json_read(context, path, &file);
    if (status != THAW_OK)
        return status;
    const json_t *list = json_object_get(file, "strategies");
    place at = { .context = context, .path = path };
    if (!json_is_array(list))
        status = thaw_fail(context, THAW_BAD_FORMAT, "%s: must be an object with a list of \"strategies\"", path);
    const size_t all = json_array_size(list);
    if (status == THAW_OK && !(*strategies = thaw_allocate_array(context, all + 1, sizeof **strategies)))
        status = THAW_OUT_OF_MEMORY;
    for (; status == THAW_OK && *count < all; *count += status == THAW_OK)
        status = read_strategy(&at, json_array_get(list, *count), &(*strategies)[*count]);
    json_decref(file);
    if (status != THAW_OK) {
        thaw_strategy_release_all(context, *strategies, *count);
        *strategies = NULL;
        *count = 0;
    }
    return status;
}

void thaw_strategy_release_all(thaw_context *context, thaw_strategy **strategies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        thaw_strategy_destroy(context, strategies[i]);
    thaw_release(context, strategies);
}
