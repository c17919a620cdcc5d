#include "cli/renamings.h"

#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"

/* Copies the values, one behind the other, and cuts each in two. */
static int cut(const cli_options *options, cli_renamings *into)
{
    char *next = into->text;
    for (size_t i = 0; i < options->rule_count; i++) {
        const char *value = options->rules[i].text;
        if (options->rules[i].kind != CLI_RULE_RENAME)
            continue;
        char *copy = next;
        next = stpcpy(next, value) + 1;
        char *equals = strchr(copy, '=');
        if (!equals)
            return cli_misuse("--rename", "\"%s\", must be OLD=NEW, two beginnings of names", value);
        *equals = '\0';
        into->items[into->count++] = (thaw_renaming){ copy, equals + 1 };
    }
    return CLI_DONE;
}

int cli_renamings_parse(const cli_options *options, cli_renamings *renamings)
{
    size_t bytes = 0, count = 0;
    *renamings = (cli_renamings){ 0 };
    for (size_t i = 0; i < options->rule_count; i++) {
        if (options->rules[i].kind != CLI_RULE_RENAME)
            continue;
        bytes += strlen(options->rules[i].text) + 1;
        count++;
    }
    if (!count)
        return CLI_DONE;
    renamings->items = calloc(count, sizeof *renamings->items);
    renamings->text = malloc(bytes);
    const int code =
        renamings->items && renamings->text ? cut(options, renamings) : cli_fail("--rename", "out of memory");
    if (code != CLI_DONE)
        cli_renamings_release(renamings);
    return code;
}

void cli_renamings_release(cli_renamings *renamings)
{
    free(renamings->items);
    free(renamings->text);
    *renamings = (cli_renamings){ 0 };
}
