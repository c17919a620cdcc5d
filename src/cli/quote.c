#include "cli/quote.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

char *cli_quote(int argc, char **argv, const char *name)
{
    size_t room = strlen(name) + 1;
    for (int i = 1; i < argc; i++)
        room += 4 * strlen(argv[i]) + 3;
    char *text = malloc(room);
    if (!text)
        return NULL;
    char *end = stpcpy(text, name);
    for (int i = 1; i < argc; i++) {
        const bool plain = *argv[i] && !argv[i][strspn(argv[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                "0123456789-_=./,:+@%")];
        end = stpcpy(end, plain ? " " : " '");
        for (const char *c = argv[i]; *c; c++) {
            if (*c == '\'')
                end = stpcpy(end, "'\\''");
            else
                *end++ = *c;
        }
        end = stpcpy(end, plain ? "" : "'");
    }
    return text;
}
