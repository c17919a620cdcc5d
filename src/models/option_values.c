#include "models/option_values.h"

#include <math.h>
#include <string.h>

#include "core/number.h"

enum { LARGEST_SIZE = 1 << 16, MOST_ROWS = 1 << 24 };

static bool read_number(const char *text, size_t length, double most, int64_t *number)
{
    double value;
    if (!thaw_parse_number(text, length, &value) || !(value >= 1 && value <= most))
        return false;
    *number = (int64_t)value;
    return (double)*number == value;
}

bool thaw_read_size(const char *text, size_t length, int64_t *size)
{
    return read_number(text, length, LARGEST_SIZE, size);
}

bool thaw_read_rows(const char *text, size_t length, int64_t *rows)
{
    return read_number(text, length, MOST_ROWS, rows);
}

bool thaw_read_rate(const char *text, size_t length, double *rate)
{
    return thaw_parse_number(text, length, rate) && *rate >= 0 && *rate < 1;
}

/* At least one size. */
static bool read_list(const char *text, size_t length, thaw_size_list *sizes)
{
    const char *end = text + length;
    *sizes = (thaw_size_list){ 0 };
    for (;; text++) {
        const char *stop = memchr(text, 'x', (size_t)(end - text));
        const size_t digits = (size_t)((stop ? stop : end) - text);
        if (sizes->count == THAW_MOST_LAYERS_IN_LIST || !thaw_read_size(text, digits, &sizes->items[sizes->count++]))
            return false;
        if (!stop)
            return true;
        text = stop;
    }
}

bool thaw_read_sizes(const char *text, size_t length, thaw_size_list *sizes)
{
    *sizes = (thaw_size_list){ 0 };
    return (length == 4 && strncmp(text, "none", 4) == 0) || read_list(text, length, sizes);
}

static bool read_column(const char *text, size_t length, thaw_category_column *column)
{
    const char *colon = memchr(text, ':', length);
    const size_t digits = colon ? (size_t)(colon - text) : 0;
    double first;
    int64_t count;
    if (!colon || !thaw_parse_number(text, digits, &first) || !(first >= 0 && first <= LARGEST_SIZE) ||
        first != floor(first) || !thaw_read_size(colon + 1, length - digits - 1, &count))
        return false;
    *column = (thaw_category_column){ .first = (size_t)first, .count = (size_t)count };
    return true;
}

bool thaw_read_columns(const char *text, size_t length, thaw_column_list *columns)
{
    const char *end = text + length;
    *columns = (thaw_column_list){ 0 };
    for (;; text++) {
        const char *stop = memchr(text, 'x', (size_t)(end - text));
        const size_t characters = (size_t)((stop ? stop : end) - text);
        if (columns->count == THAW_MOST_CATEGORY_COLUMNS ||
            !read_column(text, characters, &columns->items[columns->count++]))
            return false;
        if (!stop)
            return true;
        text = stop;
    }
}

bool thaw_read_input(const char *text, size_t length, thaw_shape *shape)
{
    thaw_size_list dims;
    if (!read_list(text, length, &dims) || (dims.count != 1 && dims.count != 3))
        return false;
    *shape = (thaw_shape){ .rank = (int)dims.count };
    memcpy(shape->dims, dims.items, dims.count * sizeof *dims.items);
    return true;
}

bool thaw_read_word(const char *text, size_t length, const char *const *words, size_t *index)
{
    for (*index = 0; words[*index]; (*index)++)
        if (strlen(words[*index]) == length && strncmp(text, words[*index], length) == 0)
            return true;
    return false;
}

const char *const thaw_head_words[] = { "none", "linear", "mlp", NULL };

bool thaw_read_head(const char *text, size_t length, thaw_head_kind *kind, thaw_size_list *units)
{
    static const thaw_head_kind kinds[] = { THAW_HEAD_NONE, THAW_HEAD_LINEAR, THAW_HEAD_MLP };
    const char *colon = memchr(text, ':', length);
    size_t word;
    if (!thaw_read_word(text, colon ? (size_t)(colon - text) : length, thaw_head_words, &word))
        return false;
    *kind = kinds[word];
    if (*kind != THAW_HEAD_MLP)
        return !colon;
    return colon && read_list(colon + 1, length - (size_t)(colon + 1 - text), units);
}

const char *const thaw_initializer_words[] = { "default",
                                               "zeros",
                                               "normal",
                                               "xavier_uniform",
                                               "xavier_normal",
                                               "kaiming_uniform",
                                               "kaiming_normal",
                                               "kaiming_normal_fan_out",
                                               NULL };

bool thaw_read_initializer(const char *text, size_t length, thaw_initializer *initializer)
{
    static const thaw_initializer initializers[] = {
        THAW_INITIAL_DEFAULT,       THAW_INITIAL_ZERO,       THAW_INITIAL_SMALL_NORMAL, THAW_INITIAL_XAVIER_UNIFORM,
        THAW_INITIAL_XAVIER_NORMAL, THAW_INITIAL_HE_UNIFORM, THAW_INITIAL_HE_NORMAL,    THAW_INITIAL_HE_NORMAL_OUT,
    };
    size_t word;
    if (!thaw_read_word(text, length, thaw_initializer_words, &word))
        return false;
    *initializer = initializers[word];
    return true;
}

const char *const thaw_activation_words[] = { "relu", "relu6", "leaky_relu", "gelu", "silu", "tanh", "sigmoid", NULL };

bool thaw_read_activation(const char *text, size_t length, thaw_hidden_function *activation)
{
    size_t word;
    if (!thaw_read_word(text, length, thaw_activation_words, &word))
        return false;
    *activation = (thaw_hidden_function)word;
    return true;
}

const char *const thaw_norm_words[] = { "none", "batch", "layer", NULL };

bool thaw_read_norm(const char *text, size_t length, thaw_norm *norm)
{
    size_t word;
    if (!thaw_read_word(text, length, thaw_norm_words, &word))
        return false;
    *norm = (thaw_norm)word;
    return true;
}
