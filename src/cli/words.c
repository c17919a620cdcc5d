#include "cli/words.h"

#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"

static const char BLANKS[] = " \t\n";

/* Whether a text goes on with NAME=. Other words have a colon or a slash before any '='. */
static bool is_setting(const char *text)
{
    const size_t length = strcspn(text, "=:/, \t\n");
    return length && text[length] == '=';
}

static void cut(char *text, bool settings)
{
    for (char *c = text; *c; c++)
        if (strchr(BLANKS, *c) || (*c == ',' && !(settings && is_setting(c + 1))))
            *c = ' ';
}

int cli_words_split(const char *option, const char *text, bool settings, cli_words *words)
{
    *words = (cli_words){ .text = strdup(text), .items = calloc(strlen(text) + 1, sizeof *words->items) };
    if (!words->text || !words->items)
        return cli_fail(option, "out of memory");
    cut(words->text, settings);
    char *rest = words->text;
    for (char *word; (word = strsep(&rest, " "));)
        if (*word)
            words->items[words->count++] = word;
    return words->count ? CLI_DONE : cli_misuse(option, "\"%s\", must have at least one name", text);
}

void cli_words_release(cli_words *words)
{
    free(words->text);
    free((void *)words->items);
}
