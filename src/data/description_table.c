/* "csv:FILE;label=COLUMN": a table. */
#include <string.h>
#include <thaw/runtime.h>

#include "data/description.h"
#include "data/table_noted.h"
#include "data/table_open.h"

/* ---- options ---- */

static thaw_status begin(thaw_description *into, char **rest)
{
    into->directory = strsep(rest, ";");
    if (into->directory && *into->directory)
        return THAW_OK;
    return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "csv: FILE is missing, must be csv:FILE");
}

static thaw_status parse_text(thaw_description *into, const char *option, const char *value, const char **text)
{
    *text = value;
    return *value ? THAW_OK
                  : thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: %s must name a column, or several with commas",
                              into->name, option);
}

static thaw_status parse_categories(thaw_description *into, char *value)
{
    return parse_text(into, "categories", value, &into->table.categories);
}

thaw_status thaw_describe_label(thaw_description *into, char *value)
{
    return parse_text(into, "label", value, &into->table.labels);
}

static thaw_status parse_skip(thaw_description *into, char *value)
{
    return parse_text(into, "skip", value, &into->table.skipped);
}

thaw_status thaw_describe_test_table(thaw_description *into, char *value)
{
    return parse_text(into, "test", value, &into->table.test);
}

thaw_status thaw_describe_delimiter(thaw_description *into, char *value)
{
    static const struct {
        const char *name;
        char character;
    } named[] = { { "comma", ',' }, { "semicolon", ';' }, { "tab", '\t' }, { "blank", ' ' } };
    for (size_t i = 0; i < THAW_COUNT(named); i++)
        if (strcmp(value, named[i].name) == 0) {
            into->table.delimiter = named[i].character;
            return THAW_OK;
        }
    into->table.delimiter = *value;
    if (*value && !value[1] && !strchr("\"\r\n", *value))
        return THAW_OK;
    return thaw_fail(into->context, THAW_INVALID_ARGUMENT,
                     "%s: delimiter=%s, must be one character, or comma, semicolon, tab or blank", into->name, value);
}

thaw_status thaw_describe_header(thaw_description *into, char *value)
{
    size_t which;
    const thaw_status status =
        thaw_describe_word(into, "header", value, (const char *const[]){ "yes", "no" }, 2, &which);
    into->table.no_header = which == 1;
    return status;
}

static thaw_status parse_missing(thaw_description *into, char *value)
{
    return thaw_describe_word(into, "missing", value, thaw_missing_words, THAW_COUNT(thaw_missing_words),
                              &into->table.missing);
}

static const thaw_described_option options[] = {
    { "categories", parse_categories },
    { "classes", thaw_describe_classes },
    { "delimiter", thaw_describe_delimiter },
    { "header", thaw_describe_header },
    { "label", thaw_describe_label },
    { "missing", parse_missing },
    { "per-class", thaw_describe_per_class },
    { "repeat", thaw_describe_repeat },
    { "scale-target", thaw_describe_scale },
    { "seed", thaw_describe_seed },
    { "skip", parse_skip },
    { "split", thaw_describe_split },
    { "task", thaw_describe_task },
    { "test", thaw_describe_test_table },
};

const thaw_described_set thaw_described_csv = {
    .name = "csv",
    .form = "csv:FILE;label=COLUMN[;OPTIONS]",
    .example = "csv:houses.csv;label=price;missing=mean;split=0.2",
    .summary = "a table of numbers and categories, with classes or numbers to predict",
    .begin = begin,
    .options = options,
    .option_count = THAW_COUNT(options),
    .open = thaw_table_open,
};
