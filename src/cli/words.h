/* Lists in options: words between blanks or commas. */
#ifndef THAW_CLI_WORDS_H
#define THAW_CLI_WORDS_H

#include <stdbool.h>
#include <stddef.h>

typedef struct cli_words {
    char *text; /* cut into words */
    const char **items;
    size_t count;
} cli_words;

/* Splits an option's text. `settings`: words may have settings, which commas separate, too: "sgd:lr=0.1,momentum=0.9,adam"
   is two words, since a word that begins with NAME= is a setting. Returns an exit code. The caller releases the words in
   every case. */
int cli_words_split(const char *option, const char *text, bool settings, cli_words *words);

void cli_words_release(cli_words *words);

#endif
