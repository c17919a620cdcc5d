/* Strategies as JSON. */
#include <math.h>
#include <string.h>

#include <jansson.h>

#include "core/allocation.h"
#include "policy/part.h"
#include "policy/strategy.h"

/* Where in the file we are. */
typedef struct place {
    thaw_context *context;
    const char *path, *strategy;
    size_t rule;
} place;

static thaw_status refuse(const place *at, const char *what, const char *name)
{
    return thaw_fail(at->context, THAW_BAD_FORMAT, "%s: strategy \"%.60s\", rule %zu: %s%s%.100s%s", at->path,
                     at->strategy, at->rule + 1, what, name ? " \"" : "", name ? name : "", name ? "\"" : "");
}

static thaw_status check_value(const place *at, const thaw_strategy_rule *rule, const json_t *value)
{
    if (!thaw_action_has_value(rule->action))
        return value ? refuse(at, "takes no value:", thaw_action_name(rule->action)) : THAW_OK;
    if (!json_is_number(value) || !isfinite(rule->value) || rule->value < 0)
        return refuse(at, "wants a value, a number from 0 on:", thaw_action_name(rule->action));
    if (rule->action == THAW_ACTION_LORA && (rule->value < 1 || rule->value > 1e6 || floor(rule->value) != rule->value))
        return refuse(at, "wants a value that is a whole number from 1 on:", "lora");
    return THAW_OK;
}

static thaw_status check_time(const place *at, const json_t *object, thaw_strategy_rule *rule)
{
    const json_t *epoch = json_object_get(object, "epoch"), *share = json_object_get(object, "share");
    const json_t *every = json_object_get(object, "every");
    if (!!epoch + !!share + !!every != 1)
        return refuse(at, "has one of epoch, share and every", NULL);
    if (epoch && (!json_is_integer(epoch) || json_integer_value(epoch) < 1 || json_integer_value(epoch) > INT32_MAX))
        return refuse(at, "epoch is a whole number from 1 on", NULL);
    if (share && (!json_is_real(share) || json_real_value(share) <= 0 || json_real_value(share) >= 1))
        return refuse(at, "share is a number above 0 and below 1", NULL);
    if (every && !json_is_true(every))
        return refuse(at, "every is true", NULL);
    rule->epoch = epoch ? (int)json_integer_value(epoch) : 0;
    rule->share = share ? json_real_value(share) : 0;
    return THAW_OK;
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
        if (!found)
            return refuse(at, "unknown key", key);
    }
    return THAW_OK;
}

/* The pattern is borrowed from the JSON. */
static thaw_status read_rule(const place *at, json_t *object, thaw_strategy_rule *rule)
{
    *rule = (thaw_strategy_rule){ 0 };
    if (!json_is_object(object))
        return refuse(at, "is no object", NULL);
    const char *action = json_string_value(json_object_get(object, "action"));
    rule->pattern = json_string_value(json_object_get(object, "pattern"));
    thaw_status status = check_keys(at, object);
    if (status == THAW_OK)
        status = check_time(at, object, rule);
    if (status != THAW_OK)
        return status;
    if (!rule->pattern || thaw_part_error(rule->pattern))
        return refuse(at, rule->pattern ? thaw_part_error(rule->pattern) : "has no pattern", rule->pattern);
    int found = 0;
    const char *known = NULL;
    while (action && (known = thaw_action_name((thaw_action)found)) && strcmp(action, known) != 0)
        found++;
    if (!known)
        return refuse(at, "action is freeze, unfreeze, reset, rate, decay or lora, not", action ? action : "");
    rule->action = (thaw_action)found;
    rule->value = json_number_value(json_object_get(object, "value"));
    return check_value(at, rule, json_object_get(object, "value"));
}

static thaw_status read_strategy(place *at, const json_t *object, thaw_strategy **strategy)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const char *description = json_string_value(json_object_get(object, "description"));
    const json_t *list = json_object_get(object, "rules");
    if (!name || !*name || strpbrk(name, " \t\n") || !json_is_array(list))
        return thaw_fail(at->context, THAW_BAD_FORMAT,
                         "%s: a strategy has a \"name\" without blanks and a list of \"rules\"", at->path);
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
    json_error_t error;
    json_t *file = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (!file && error.line < 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s", error.text); /* names the file */
    if (!file)
        return thaw_fail(context, THAW_BAD_FORMAT, "%s: line %d: %s", path, error.line, error.text);
    const json_t *list = json_object_get(file, "strategies");
    place at = { .context = context, .path = path };
    thaw_status status = THAW_OK;
    if (!json_is_array(list))
        status = thaw_fail(context, THAW_BAD_FORMAT, "%s: is no object with a list of \"strategies\"", path);
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
