#include "data/text/text_file.h"

#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/nearest.h"
#include "data/samples.h"
#include "data/text/json_lines.h"
#include "data/unpack.h"

enum { MOST_CLASSES = 65536 };

/* ---- columns ---- */

static bool is_number(const char *column)
{
    return !column || column[strspn(column, "0123456789")] == '\0';
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* The columns that the options name are the keys of JSON lines, each once. */
static thaw_status read_json_lines(const thaw_text_options *options, const char *path, thaw_table *table)
{
    const char *keys[3] = { options->text };
    size_t count = 1;
    if (options->second && strcmp(options->second, options->text) != 0)
        keys[count++] = options->second;
    if (options->label && strcmp(options->label, options->text) != 0 &&
        !(options->second && strcmp(options->label, options->second) == 0))
        keys[count++] = options->label;
    return thaw_json_lines_read(table, path, keys, count);
}

static thaw_status read_table(const thaw_text_options *options, const char *path, thaw_table *table)
{
    if (ends_with(path, ".jsonl") || ends_with(path, ".jsonl.gz"))
        return read_json_lines(options, path, table);
    const bool quoted = ends_with(path, ".csv") || ends_with(path, ".csv.gz");
    const thaw_table_format format = {
        .delimiter = quoted ? ',' : '\t',
        .plain = !quoted,
        .no_header = is_number(options->text) && is_number(options->second) && is_number(options->label),
    };
    thaw_unpacker *unpacker;
    thaw_status status = thaw_unpacker_open(table->context, path, &unpacker);
    if (status != THAW_OK)
        return status;
    const thaw_content content = thaw_unpacker_content(unpacker);
    status = thaw_table_read(table, &content, &format);
    thaw_unpacker_close(unpacker);
    return status;
}

static thaw_status find_column(const thaw_table *table, const char *name, size_t *column)
{
    if (thaw_table_find(table, name, column))
        return THAW_OK;
    if (is_number(name))
        return thaw_fail(table->context, THAW_NOT_FOUND, "%s: has no column %s, must be from 1 to %zu", table->path,
                         name, table->columns);
    const char **names = thaw_allocate_array(table->context, table->columns, sizeof *names);
    if (!names)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < table->columns; i++)
        names[i] = thaw_table_name(table, i);
    const thaw_status status = thaw_fail_unknown(table->context, "column", name, names, table->columns);
    thaw_release(table->context, (void *)names);
    return status;
}

/* ---- labels ---- */

static int compare(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Appends the names of a column in order, each once. */
static thaw_status list_classes(const thaw_table *table, size_t column, thaw_words *classes)
{
    const char **names = thaw_allocate_array(table->context, table->rows + 1, sizeof *names);
    if (!names)
        return THAW_OUT_OF_MEMORY;
    for (size_t row = 0; row < table->rows; row++)
        names[row] = thaw_table_cell(table, row, column);
    qsort(names, table->rows, sizeof *names, compare);
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < table->rows && status == THAW_OK; i++) {
        if (i > 0 && strcmp(names[i], names[i - 1]) == 0)
            continue;
        status = classes->count < MOST_CLASSES
                     ? thaw_words_add(classes, names[i])
                     : thaw_fail(table->context, THAW_BAD_FORMAT, "%s: column %zu has more than %d labels", table->path,
                                 column + 1, MOST_CLASSES);
    }
    thaw_release(table->context, (void *)names);
    return status;
}

/* Numbers the labels of the rows that were encoded. */
static thaw_status number_labels(const thaw_table *table, size_t column, const thaw_words *classes, const bool *chosen,
                                 bool wanted, thaw_text_samples *samples)
{
    size_t count = 0;
    samples->labels = thaw_allocate_array(table->context, samples->count + 1, sizeof *samples->labels);
    if (!samples->labels)
        return THAW_OUT_OF_MEMORY;
    for (size_t row = 0; row < table->rows; row++) {
        const char *name = thaw_table_cell(table, row, column);
        if (chosen && chosen[row] != wanted)
            continue;
        char *const *found = bsearch(&name, classes->items, classes->count, sizeof *classes->items, compare);
        if (!found)
            return thaw_fail(table->context, THAW_NOT_FOUND,
                             "%s: line %zu: the label \"%.100s\" is not among the %zu labels that are trained",
                             table->path, table->lines[row + 1], name, classes->count);
        samples->labels[count++] = (int32_t)(found - classes->items);
    }
    return THAW_OK;
}

/* ---- both ---- */

/* No layer can make anything of a text without tokens. */
static thaw_status check_tokens(const thaw_table *table, const bool *chosen, bool wanted,
                                const thaw_text_samples *samples)
{
    size_t index = 0;
    for (size_t row = 0; row < table->rows; row++) {
        if (chosen && chosen[row] != wanted)
            continue;
        if (thaw_text_samples_length(samples, index++) == 0)
            return thaw_fail(
                table->context, THAW_BAD_FORMAT,
                "%s: line %zu: the text has no tokens; leave out the line, or use a tokenizer with special "
                "tokens",
                table->path, table->lines[row + 1]);
    }
    return THAW_OK;
}

/* Encodes the rows of a table that are marked as wanted, and numbers their labels. */
static thaw_status encode(const thaw_tokenizer *tokenizer, const thaw_text_options *options, const thaw_table *table,
                          const bool *chosen, bool wanted, thaw_words *classes, thaw_text_samples *samples)
{
    thaw_text_columns columns = { .pair = options->second != NULL };
    size_t label = 0;
    thaw_status status = find_column(table, options->text, &columns.text);
    if (status == THAW_OK && options->second)
        status = find_column(table, options->second, &columns.second);
    if (status == THAW_OK && options->label)
        status = find_column(table, options->label, &label);
    if (status == THAW_OK && options->label && classes->count == 0)
        status = list_classes(table, label, classes);
    if (status == THAW_OK)
        status = thaw_text_samples_encode(samples, tokenizer, table, &columns, chosen, wanted, options->length);
    if (status == THAW_OK)
        status = check_tokens(table, chosen, wanted, samples);
    if (status == THAW_OK && options->label)
        status = number_labels(table, label, classes, chosen, wanted, samples);
    if (status == THAW_OK && samples->replaced)
        thaw_log(table->context, THAW_LOG_WARNING, "%s: %zu parts of texts are not UTF-8 and were replaced by U+FFFD",
                 table->path, samples->replaced);
    if (status == THAW_OK && samples->cut)
        thaw_log(table->context, THAW_LOG_INFO, "%s: %zu of %zu texts were cut to %zu tokens", table->path,
                 samples->cut, samples->count, options->length);
    return status;
}

thaw_status thaw_text_file_read(const thaw_tokenizer *tokenizer, const thaw_text_options *options, thaw_words *classes,
                                thaw_text_samples *training, thaw_text_samples *test)
{
    thaw_context *context = training->context;
    thaw_table table = { .context = context }, other = { .context = context };
    bool *tests = NULL;
    size_t count;
    thaw_status status = read_table(options, options->path, &table);
    if (status == THAW_OK && options->split > 0 && !options->test)
        status = thaw_samples_draw(context, table.rows, options->split, options->seed, &tests, &count);
    if (status == THAW_OK)
        status = encode(tokenizer, options, &table, tests, false, classes, training);
    if (status == THAW_OK && tests)
        status = encode(tokenizer, options, &table, tests, true, classes, test);
    if (status == THAW_OK && options->test)
        status = read_table(options, options->test, &other);
    if (status == THAW_OK && options->test)
        status = encode(tokenizer, options, &other, NULL, true, classes, test);
    thaw_release(context, tests);
    thaw_table_release(&table);
    thaw_table_release(&other);
    return status;
}
