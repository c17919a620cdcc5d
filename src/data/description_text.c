/* "text:FILE;label=COLUMN;text=COLUMN": texts with labels, or a text whose next tokens are to be told. */
#include <string.h>
#include <thaw/runtime.h>

#include "data/description.h"
#include "data/text/text_open.h"

static thaw_status begin(thaw_description *into, char **rest)
{
    into->directory = strsep(rest, ";");
    if (into->directory && *into->directory)
        return THAW_OK;
    return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "text: FILE is missing, must be text:FILE");
}

static thaw_status parse_text(thaw_description *into, const char *option, const char *value, const char *wanted,
                              const char **text)
{
    *text = value;
    return *value ? THAW_OK
                  : thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: %s must %s", into->name, option, wanted);
}

static const char column[] = "be a column's name, or its number from 1";

static thaw_status parse_label(thaw_description *into, char *value)
{
    return parse_text(into, "label", value, column, &into->texts.label);
}

static thaw_status parse_first(thaw_description *into, char *value)
{
    return parse_text(into, "text", value, column, &into->texts.text);
}

static thaw_status parse_second(thaw_description *into, char *value)
{
    return parse_text(into, "second", value, column, &into->texts.second);
}

static thaw_status parse_test(thaw_description *into, char *value)
{
    return parse_text(into, "test", value, "be the path of a file", &into->texts.test);
}

static thaw_status parse_tokenizer(thaw_description *into, char *value)
{
    return parse_text(into, "tokenizer", value, "be the path of a tokenizer", &into->texts.tokenizer);
}

static thaw_status parse_length(thaw_description *into, char *value)
{
    const thaw_status status = thaw_describe_count(into, "length", value, &into->texts.length);
    if (status != THAW_OK || into->texts.length <= THAW_MOST_TOKENS_OF_TEXT)
        return status;
    return thaw_fail(into->context, THAW_INVALID_ARGUMENT, "%s: length=%s, must be at most %d", into->name, value,
                     THAW_MOST_TOKENS_OF_TEXT);
}

static thaw_status parse_task(thaw_description *into, char *value)
{
    size_t which;
    const thaw_status status =
        thaw_describe_word(into, "task", value, (const char *const[]){ "classes", "lm" }, 2, &which);
    into->texts.lm = which == 1;
    return status;
}

static const thaw_described_option options[] = {
    { "classes", thaw_describe_classes },
    { "label", parse_label },
    { "length", parse_length },
    { "per-class", thaw_describe_per_class },
    { "repeat", thaw_describe_repeat },
    { "second", parse_second },
    { "seed", thaw_describe_seed },
    { "split", thaw_describe_split },
    { "task", parse_task },
    { "test", parse_test },
    { "text", parse_first },
    { "tokenizer", parse_tokenizer },
};

const thaw_described_set thaw_described_text = {
    .name = "text",
    .form = "text:FILE;label=COLUMN;text=COLUMN[;OPTIONS]",
    .example = "text:reviews.tsv;label=stars;text=review;tokenizer=MiniLM;split=0.1",
    .summary = "texts with classes, in TSV, CSV or JSON lines; with task=lm a plain text",
    .begin = begin,
    .options = options,
    .option_count = THAW_COUNT(options),
    .open = thaw_texts_open,
};
