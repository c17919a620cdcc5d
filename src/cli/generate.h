/* Manual pages and shell completion, made from the tables of commands and options. */
#ifndef THAW_CLI_GENERATE_H
#define THAW_CLI_GENERATE_H

#include <stdio.h>

#include "cli/command.h"
#include "cli/option_table.h"

/* Writes "man" (thaw.1), "man-COMMAND" (thaw-COMMAND.1), or the completion for "bash" or "zsh". Returns an exit
   code. */
int cli_generate(const char *what, FILE *stream);

void cli_generate_manual(FILE *stream);
void cli_generate_command_manual(const cli_command *command, FILE *stream);
void cli_generate_bash(FILE *stream);
void cli_generate_zsh(FILE *stream);

/* A section of thaw.1. Paragraphs are separated by an empty line. Lines that begin with two blanks are printed
   verbatim. */
typedef struct cli_manual_topic {
    const char *title, *text;
} cli_manual_topic;

extern const cli_manual_topic cli_manual_topics[];
extern const size_t cli_manual_topic_count;

/* Names for completion, each after a blank. */
void cli_print_models(FILE *stream);
void cli_print_optimizers(FILE *stream);
void cli_print_policies(FILE *stream);

/* The same, with `colon` printed in place of ':'. */
void cli_print_strategies(FILE *stream, const char *colon);

#endif
