#include "models/description.h"

#include <string.h>
#include <thaw/runtime.h>

#include "core/nearest.h"
#include "models/network_option.h"
#include "models/option_values.h"

enum { LONGEST_NAME = 63, MOST_NETWORKS = 32, MOST_OPTIONS = 64 };

static bool set_size(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->size);
}

static bool set_dropout(const char *text, size_t length, thaw_network_options *options)
{
    options->drops = true;
    return thaw_read_rate(text, length, &options->dropout);
}

static bool set_drop_path(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_rate(text, length, &options->drop_path);
}

static bool set_head(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_head(text, length, &options->head, &options->head_units);
}

static bool set_initializer(const char *text, size_t length, thaw_network_options *options)
{
    options->has_initializer = true;
    return thaw_read_initializer(text, length, &options->initializer);
}

static bool set_input(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_input(text, length, &options->input);
}

static bool set_hidden(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_sizes(text, length, &options->hidden);
}

static bool set_embed(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->embed);
}

static bool set_categories(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_columns(text, length, &options->categories);
}

static bool set_channels(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_sizes(text, length, &options->channels) && options->channels.count;
}

static bool set_kernel(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->kernel);
}

static bool set_activation(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_activation(text, length, &options->activation);
}

static bool set_norm(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_norm(text, length, &options->norm);
}

static bool set_layers(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->vision.layers);
}

static bool set_width(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->vision.width);
}

static bool set_heads(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->vision.heads);
}

static bool set_block_hidden(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->vision.hidden);
}

static bool set_patch(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->vision.patch);
}

static bool set_epsilon(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_rate(text, length, &options->vision.epsilon) && options->vision.epsilon > 0;
}

static const char *const feature_words[] = { "flatten", "average", NULL };

static bool set_features(const char *text, size_t length, thaw_network_options *options)
{
    size_t word;
    if (!thaw_read_word(text, length, feature_words, &word))
        return false;
    options->averages = word == 1;
    return true;
}

enum { HEADED = THAW_TAKES_SIZE | THAW_TAKES_LAYERS | THAW_TAKES_CHANNELS | THAW_TAKES_POOLING };

static const thaw_network_option known[] = {
    { "size", THAW_TAKES_SIZE, set_size, "a whole number from 1 to 65536", NULL },
    { "input", THAW_TAKES_LAYERS, set_input, "a number of features, or HEIGHTxWIDTHxCHANNELS", NULL },
    { "hidden", THAW_TAKES_LAYERS, set_hidden, "sizes from 1 to 65536 such as 64 or 64x32, or none", NULL },
    { "embed", THAW_TAKES_COLUMNS, set_embed, "a whole number from 1 to 65536", NULL },
    { "categories", THAW_TAKES_COLUMNS, set_categories, "at most 64 FIRST:COUNT such as 3:5x9:2", NULL },
    { "channels", THAW_TAKES_CHANNELS, set_channels, "sizes from 1 to 65536 such as 16x32", NULL },
    { "kernel", THAW_TAKES_CHANNELS, set_kernel, "a whole number from 1 to 65536", NULL },
    { "features", THAW_TAKES_CHANNELS, set_features, "flatten or average", feature_words },
    { "activation", THAW_TAKES_LAYERS, set_activation, "an activation", thaw_activation_words },
    { "norm", THAW_TAKES_LAYERS, set_norm, "a normalisation", thaw_norm_words },
    { "layers", THAW_TAKES_VISION, set_layers, "a whole number from 1 to 65536", NULL },
    { "width", THAW_TAKES_VISION, set_width, "a whole number from 1 to 65536", NULL },
    { "heads", THAW_TAKES_VISION, set_heads, "a whole number from 1 to 65536", NULL },
    { "hidden", THAW_TAKES_VISION, set_block_hidden, "a whole number from 1 to 65536", NULL },
    { "patch", THAW_TAKES_VISION, set_patch, "a whole number from 1 to 65536", NULL },
    { "epsilon", THAW_TAKES_VISION, set_epsilon, "above 0 and below 1", NULL },
    { "drop-path", THAW_TAKES_DEPTH, set_drop_path, "at least 0 and below 1", NULL },
    { "dropout", HEADED, set_dropout, "at least 0 and below 1", NULL },
    { "head", HEADED, set_head, "none, linear, or mlp:UNITS such as mlp:256 or mlp:256x64", thaw_head_words },
    { "head-init", HEADED, set_initializer, "an initializer", thaw_initializer_words },
};

/* NULL past the end. */
static const thaw_network_option *option_at(size_t index)
{
    return index < THAW_COUNT(known) ? &known[index] : thaw_text_option_at(index - THAW_COUNT(known));
}

static bool takes(const thaw_network *network, const thaw_network_option *wanted)
{
    return ((network->takes ? network->takes : THAW_TAKES_SIZE) & wanted->takes) != 0;
}

static thaw_status fail_name(thaw_context *context, const thaw_network *network, const char *name)
{
    const thaw_network_option *option;
    const char *names[MOST_OPTIONS];
    char what[LONGEST_NAME + 1] = "option of ";
    size_t count = 0;
    for (size_t i = 0; (option = option_at(i)) && count < MOST_OPTIONS; i++)
        if (takes(network, option))
            names[count++] = option->name;
    strncat(what, network->entry.name, sizeof what - sizeof "option of ");
    return thaw_fail_unknown(context, what, name, names, count);
}

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

/* Reports a value that an option does not take, with the nearest word if it should begin with one. */
static thaw_status fail_value(thaw_context *context, const thaw_network *network, const thaw_network_option *wanted,
                              const char *value, size_t length)
{
    char word[LONGEST_NAME + 1] = { 0 }, what[LONGEST_NAME + 1] = "value of ";
    size_t index;
    const size_t word_length = strcspn(value, ":,") < length ? strcspn(value, ":,") : length;
    if (!wanted->words || thaw_read_word(value, word_length, wanted->words, &index))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: \"%s=%.*s\", must be %s", network->entry.name,
                         wanted->name, (int)(length < 100 ? length : 100), value, wanted->wanted);
    memcpy(word, value, word_length < LONGEST_NAME ? word_length : LONGEST_NAME);
    strncat(what, wanted->name, sizeof what - sizeof "value of ");
    for (index = 0; wanted->words[index]; index++)
        ;
    return thaw_fail_unknown(context, what, word, wanted->words, index);
}

/* Reads one "name=value" of `length` characters. */
static thaw_status parse_item(thaw_context *context, const thaw_network *network, const char *item, size_t length,
                              bool *given, thaw_network_options *options)
{
    const char *network_name = network->entry.name;
    const char *equals = memchr(item, '=', length);
    const int shown = (int)(length < 100 ? length : 100);
    if (!equals || equals - item > LONGEST_NAME)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: \"%.*s\", must be NAME=VALUE", network_name, shown, item);
    char name[LONGEST_NAME + 1] = { 0 };
    memcpy(name, item, (size_t)(equals - item));
    const thaw_network_option *option;
    for (size_t i = 0; (option = option_at(i)); i++) {
        if (strcmp(name, option->name) != 0 || !takes(network, option))
            continue;
        if (given[i])
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %s is given twice", network_name, name);
        given[i] = true;
        const size_t value_length = length - (size_t)(equals + 1 - item);
        if (option->set(equals + 1, value_length, options))
            return THAW_OK;
        return fail_value(context, network, option, equals + 1, value_length);
    }
    return fail_name(context, network, name);
}

thaw_status thaw_network_find(thaw_context *context, const char *description, const thaw_network *const *networks,
                              size_t count, const thaw_network **network, thaw_network_options *options)
{
    const size_t name_length = strcspn(description, ":");
    thaw_status status = find_network(context, description, name_length, networks, count, network);
    if (status != THAW_OK)
        return status;
    *options = (thaw_network_options){
        .dropout = (*network)->dropout, .hidden = (*network)->hidden, .channels = (*network)->channels, .kernel = 3
    };
    if ((*network)->vision)
        options->vision = *(*network)->vision;
    if ((*network)->text)
        options->text = *(*network)->text;
    bool given[MOST_OPTIONS] = { false };
    const char *item = description + name_length;
    while (*item && status == THAW_OK) {
        const size_t length = strcspn(++item, ",");
        status = parse_item(context, *network, item, length, given, options);
        item += length;
    }
    if (status == THAW_OK && options->head == THAW_HEAD_NONE && (options->drops || options->has_initializer))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: %s, but head=none leaves no head", (*network)->entry.name,
                         options->drops ? "dropout is given" : "head-init is given");
    return status;
}
