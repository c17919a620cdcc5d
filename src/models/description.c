#include "models/description.h"

#include <string.h>
#include <thaw/runtime.h>

#include "core/nearest.h"
#include "core/number.h"

enum { LONGEST_NAME = 63, MOST_NETWORKS = 32, LARGEST_SIZE = 1 << 16 };

typedef struct option {
    const char *name;
    bool (*set)(const thaw_network *network, double value, thaw_network_options *options);
    const char *wanted;
} option;

static bool set_size(const thaw_network *network, double value, thaw_network_options *options)
{
    (void)network;
    if (!(value >= 1 && value <= LARGEST_SIZE))
        return false;
    options->size = (int64_t)value;
    return (double)options->size == value;
}

static bool set_dropout(const thaw_network *network, double value, thaw_network_options *options)
{
    options->dropout = value;
    return network->drops && value >= 0 && value < 1;
}

static const option known[] = {
    { "size", set_size, "a whole number from 1 to 65536" },
    { "dropout", set_dropout, "at least 0 and below 1, for a network with a dropout setting" },
};

static thaw_status find_network(thaw_context *context, const char *name, size_t length,
                                const thaw_network *const *networks, size_t count, const thaw_network **network)
{
    const char *names[MOST_NETWORKS];
    char wanted[LONGEST_NAME + 1] = { 0 };
    memcpy(wanted, name, length < LONGEST_NAME ? length : LONGEST_NAME);
    for (size_t i = 0; i < count; i++) {
        names[i] = networks[i]->entry.name;
        if (strcmp(names[i], wanted) == 0) {
            *network = networks[i];
            return THAW_OK;
        }
    }
    return thaw_fail_unknown(context, "model", wanted, names, count);
}

/* Reads one "name=value" of `length` characters. */
static thaw_status parse_item(thaw_context *context, const thaw_network *network, const char *item, size_t length,
                              bool *given, thaw_network_options *options)
{
    const char *network_name = network->entry.name, *names[THAW_COUNT(known)];
    const char *equals = memchr(item, '=', length);
    const int shown = (int)(length < 100 ? length : 100);
    if (!equals || equals - item > LONGEST_NAME)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: \"%.*s\", must be NAME=VALUE", network_name, shown, item);
    char name[LONGEST_NAME + 1] = { 0 };
    memcpy(name, item, (size_t)(equals - item));
    for (size_t i = 0; i < THAW_COUNT(known); i++) {
        names[i] = known[i].name;
        if (strcmp(name, known[i].name) != 0)
            continue;
        double value;
        if (given[i])
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %s is given twice", network_name, name);
        given[i] = true;
        if (thaw_parse_number(equals + 1, length - (size_t)(equals + 1 - item), &value) &&
            known[i].set(network, value, options))
            return THAW_OK;
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: \"%.*s\", must be %s", network_name, shown, item,
                         known[i].wanted);
    }
    return thaw_fail_unknown(context, "option of a model", name, names, THAW_COUNT(known));
}

thaw_status thaw_network_find(thaw_context *context, const char *description, const thaw_network *const *networks,
                              size_t count, const thaw_network **network, thaw_network_options *options)
{
    const size_t name_length = strcspn(description, ":");
    thaw_status status = find_network(context, description, name_length, networks, count, network);
    if (status != THAW_OK)
        return status;
    *options = (thaw_network_options){ .dropout = (*network)->dropout };
    bool given[THAW_COUNT(known)] = { false };
    const char *item = description + name_length;
    while (*item && status == THAW_OK) {
        const size_t length = strcspn(++item, ",");
        status = parse_item(context, *network, item, length, given, options);
        item += length;
    }
    return status;
}
