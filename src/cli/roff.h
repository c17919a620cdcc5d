/* Text in the language of man(7). */
#ifndef THAW_CLI_ROFF_H
#define THAW_CLI_ROFF_H

#include <stdio.h>

/* Writes a text, and escapes what groff would interpret. */
void cli_roff_text(FILE *stream, const char *text);

/* A paragraph in short lines; each sentence begins a new line, as man(7) recommends. */
void cli_roff_sentences(FILE *stream, const char *text);

/* Lines as they are. */
void cli_roff_lines(FILE *stream, const char *text);

/* Paragraphs, separated by empty lines; those that begin with a blank are lines as they are. */
void cli_roff_topic(FILE *stream, const char *text);

#endif
