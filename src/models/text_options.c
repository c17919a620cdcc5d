/* The options of networks of text. */
#include "models/network_option.h"
#include "models/option_values.h"

static bool set_layers(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->text.layers);
}

static bool set_width(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->text.width);
}

static bool set_heads(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->text.heads);
}

static bool set_hidden(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->text.hidden);
}

static bool set_vocabulary(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_rows(text, length, &options->text.vocabulary);
}

static bool set_positions(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->text.positions);
}

static bool set_types(const char *text, size_t length, thaw_network_options *options)
{
    options->text.types = 0;
    return (length == 1 && *text == '0') || thaw_read_size(text, length, &options->text.types);
}

static bool set_length(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_size(text, length, &options->text.length);
}

static bool set_epsilon(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_rate(text, length, &options->text.epsilon);
}

static bool set_hidden_dropout(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_rate(text, length, &options->text.hidden_dropout);
}

static bool set_attention_dropout(const char *text, size_t length, thaw_network_options *options)
{
    return thaw_read_rate(text, length, &options->text.attention_dropout);
}

static const char *const function_words[] = { "gelu", "gelu_tanh", "relu", NULL };

static bool set_activation(const char *text, size_t length, thaw_network_options *options)
{
    size_t word;
    if (!thaw_read_word(text, length, function_words, &word))
        return false;
    options->text.activation = (thaw_text_function)word;
    return true;
}

static const char *const pooling_words[] = { "token", "mean", "cls", NULL };

static bool set_pooling(const char *text, size_t length, thaw_network_options *options)
{
    size_t word;
    if (!thaw_read_word(text, length, pooling_words, &word))
        return false;
    options->text.pooling = (thaw_pooling)word;
    return true;
}

static const char *const answer_words[] = { "no", "yes", NULL };

static bool set_normalise(const char *text, size_t length, thaw_network_options *options)
{
    size_t word;
    if (!thaw_read_word(text, length, answer_words, &word))
        return false;
    options->text.normalises = word == 1;
    return true;
}

static const char *const no_head_words[] = { "none", NULL };

static bool set_no_head(const char *text, size_t length, thaw_network_options *options)
{
    size_t word;
    options->head = THAW_HEAD_NONE;
    return thaw_read_word(text, length, no_head_words, &word);
}

static const char size_wanted[] = "a whole number from 1 to 65536";

static const thaw_network_option options[] = {
    { "layers", THAW_TAKES_TEXT, set_layers, size_wanted, NULL },
    { "width", THAW_TAKES_TEXT, set_width, size_wanted, NULL },
    { "heads", THAW_TAKES_TEXT, set_heads, size_wanted, NULL },
    { "hidden", THAW_TAKES_TEXT, set_hidden, size_wanted, NULL },
    { "vocabulary", THAW_TAKES_TEXT, set_vocabulary, "a whole number from 1 to 16777216", NULL },
    { "positions", THAW_TAKES_TEXT, set_positions, size_wanted, NULL },
    { "types", THAW_TAKES_TYPES, set_types, "a whole number from 0 to 65536", NULL },
    { "length", THAW_TAKES_TEXT, set_length, size_wanted, NULL },
    { "pooling", THAW_TAKES_POOLING, set_pooling, "token, mean or cls", pooling_words },
    { "normalise", THAW_TAKES_POOLING, set_normalise, "yes or no", answer_words },
    { "activation", THAW_TAKES_TEXT, set_activation, "gelu, gelu_tanh or relu", function_words },
    { "epsilon", THAW_TAKES_TEXT, set_epsilon, "at least 0 and below 1", NULL },
    { "hidden-dropout", THAW_TAKES_TEXT, set_hidden_dropout, "at least 0 and below 1", NULL },
    { "attention-dropout", THAW_TAKES_TEXT, set_attention_dropout, "at least 0 and below 1", NULL },
    { "head", THAW_TAKES_NO_HEAD, set_no_head, "none", no_head_words },
};

const thaw_network_option *thaw_text_option_at(size_t index)
{
    return index < THAW_COUNT(options) ? &options[index] : NULL;
}
