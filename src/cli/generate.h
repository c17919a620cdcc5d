/* Manual pages and the completion of shells, made from the tables of commands and options. */
#ifndef THAW_CLI_GENERATE_H
#define THAW_CLI_GENERATE_H

#include <stdio.h>

#include "cli/command.h"
#include "cli/option_table.h"

/* Writes what is asked for: "man" (thaw.1), "man-COMMAND" (thaw-COMMAND.1), "bash" or "zsh" (completion). Returns an exit
   code. */
int cli_generate(const char *what, FILE *stream);

void cli_generate_manual(FILE *stream);
void cli_generate_command_manual(const cli_command *command, FILE *stream);
void cli_generate_bash(FILE *stream);
void cli_generate_zsh(FILE *stream);

/* A section of thaw.1. Its text is in paragraphs, separated by "\n\n"; lines that begin with two blanks are printed as
   they are. */
typedef struct cli_manual_topic {
    const char *title, *text;
} cli_manual_topic;

extern const cli_manual_topic cli_manual_topics[];
extern const size_t cli_manual_topic_count;

/* Names for completion, each behind a blank. */
void cli_print_models(FILE *stream);
void cli_print_optimizers(FILE *stream);

/* The same; `colon` is printed in the place of ':'. */
void cli_print_strategies(FILE *stream, const char *colon);

#endif
