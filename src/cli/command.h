/* The sub-commands. One table per command gives its help, its manual page and its completion. */
#ifndef THAW_CLI_COMMAND_H
#define THAW_CLI_COMMAND_H

#include "cli/options.h"

typedef struct cli_command {
    const char *name;
    const char *summary;                    /* one line, for lists: "measure loss and accuracy" */
    const char *description;                /* a paragraph of sentences */
    const char *arguments;                  /* of the usage line, "IMAGE..."; NULL: options only */
    const char *examples;                   /* command lines, indented by two blanks, none longer than 78 columns */
    unsigned takes, needs;                  /* the sets of options that the command takes, and those that it requires */
    int (*run)(const cli_options *options); /* returns an exit code */
} cli_command;

extern const cli_command cli_lr_find, cli_train, cli_finetune, cli_evaluate, cli_predict, cli_embed, cli_export,
    cli_summary, cli_plan, cli_demo, cli_bench, cli_report, cli_models, cli_optimizers, cli_strategies, cli_policies,
    cli_datasets;

/* All of them, in the order of listings. */
extern const cli_command *const cli_commands[];
extern const size_t cli_command_count;

/* NULL if no command has this name. */
const cli_command *cli_command_named(const char *name);

/* Whether argp would print help and exit. */
bool cli_options_ask_for_help(int argc, char **argv);

/* Reads a command's options. Prints any error and returns an exit code. The caller releases the options in every
   case. */
int cli_options_parse(int argc, char **argv, const cli_command *command, cli_options *options);

void cli_options_release(cli_options *options);

#endif
