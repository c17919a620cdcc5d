/* Reads a command line with argp. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/failure.h"
#include "cli/model_folder.h"
#include "cli/option_names.h"
#include "cli/option_table.h"
#include "cli/quote.h"
#include "cli/ranks_library.h"

enum { FIRST_KEY = 256 /* above the character range */ };

/* Of the option with this key; cli_option_count if there is none. A letter belongs to one option of a command. */
static size_t index_of(int key, unsigned takes)
{
    size_t index = 0;
    if (key >= FIRST_KEY)
        return (size_t)(key - FIRST_KEY) < cli_option_count ? (size_t)(key - FIRST_KEY) : cli_option_count;
    while (index < cli_option_count && (!(cli_option_table[index].set & takes) || !cli_option_table[index].letter ||
                                        cli_option_table[index].letter != key))
        index++;
    return index;
}

static error_t parse_one(int key, char *text, struct argp_state *state)
{
    cli_options *options = state->input;
    if (key == ARGP_KEY_ARG && options->takes_arguments) {
        options->rules[options->rule_count++] = (cli_rule){ CLI_RULE_ARGUMENT, text };
        return 0;
    }
    if (key == ARGP_KEY_ARG) {
        cli_misuse(text, "is not an option; options begin with --, see '%s --help'", state->name);
        return EINVAL;
    }
    const size_t index = index_of(key, options->takes);
    if (index >= cli_option_count)
        return ARGP_ERR_UNKNOWN;
    const cli_option *option = &cli_option_table[index];
    void *value = (char *)options + option->offset;
    if (option->kind->parse(option, text, value, options))
        return 0;
    char name[64] = "--";
    cli_misuse(strncat(name, option->name, sizeof name - 3), "\"%s\", must be %s", text, option->kind->wanted);
    return EINVAL;
}

static int check_needed(const cli_options *options, unsigned needs)
{
    for (size_t i = 0; i < cli_option_count; i++) {
        const cli_option *option = &cli_option_table[i];
        if (!(option->set & needs) || !cli_option_is_text(option))
            continue;
        const void *value = (const char *)options + option->offset;
        char name[64] = "--";
        const bool noted = (option->set == CLI_MODEL && options->load) || /* the file may name the network */
                           (option->set == CLI_LOAD && options->model && cli_is_model_folder(options->model));
        if (*(const char *const *)value || noted)
            continue;
        if (options->model && cli_model_path_is_missing(options->model))
            return cli_misuse("--model", "%s: no such file or folder", options->model);
        return cli_misuse(strncat(name, option->name, sizeof name - 3), "is missing");
    }
    return CLI_DONE;
}

/* argp's "doc": the description, then, after the options, the examples. NULL if out of memory. */
static char *make_help(const cli_command *command)
{
    char *text = NULL;
    return asprintf(&text, "%s\vExamples:\n%s", command->description, command->examples) < 0 ? NULL : text;
}

/* No option's name begins like these. */
bool cli_options_ask_for_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strncmp(argv[i], "--hel", 5) == 0 || strncmp(argv[i], "--us", 4) == 0 || strcmp(argv[i], "-?") == 0)
            return true;
    return false;
}

/* Ranks must not exit before they meet, and only rank 0 prints what argp has to say. */
static unsigned flags_under_mpirun(int argc, char **argv)
{
    if (cli_ranks_launched() < 2 || cli_options_ask_for_help(argc, argv))
        return 0;
    return cli_ranks_launched_rank() > 0 ? ARGP_NO_EXIT | ARGP_NO_ERRS : ARGP_NO_EXIT;
}

/* How argp knows an option: by its name, its letter and its other name. Returns the number of entries. */
static size_t describe(struct argp_option entries[3], size_t index)
{
    const cli_option *option = &cli_option_table[index];
    size_t count = 0;
    entries[count++] = (struct argp_option){
        .name = option->name, .key = FIRST_KEY + (int)index, .arg = option->argument, .doc = option->help
    };
    if (option->alias)
        entries[count++] = (struct argp_option){ .name = option->alias, .flags = OPTION_ALIAS };
    if (option->letter)
        entries[count++] = (struct argp_option){ .key = option->letter, .flags = OPTION_ALIAS };
    return count;
}

static error_t parse(int argc, char **argv, const cli_command *command, const char *help, cli_options *options)
{
    struct argp_option *taken = calloc(3 * cli_option_count + 1, sizeof *taken);
    if (!taken)
        return ENOMEM;
    size_t count = 0;
    for (size_t i = 0; i < cli_option_count; i++)
        if (cli_option_table[i].set & command->takes)
            count += describe(&taken[count], i);
    const struct argp parser = { .options = taken, .parser = parse_one, .args_doc = command->arguments, .doc = help };
    const error_t error = argp_parse(&parser, argc, argv, flags_under_mpirun(argc, argv), NULL, options);
    free(taken);
    return error;
}

int cli_options_parse(int argc, char **argv, const cli_command *command, cli_options *options)
{
    *options = (cli_options){ .epochs = 1,
                              .batch = 128,
                              .log_every = 50,
                              .steps = 20,
                              .epoch = 1,
                              .cache = "auto",
                              .cache_bytes = (uint64_t)1 << 30,
                              .optimizer = "adam",
                              .learning_rate = -1,
                              .optimizers = "adam",
                              .strategies = "full head",
                              .report = "report",
                              .seeds = 3,
                              .rates = 1,
                              .top = 1,
                              .takes = command->takes,
                              .takes_arguments = command->arguments != NULL,
                              .resets = command->takes & CLI_RESET };
    options->rules = calloc((size_t)argc + 1, sizeof *options->rules);
    char *name = NULL, *help = make_help(command);
    if (asprintf(&name, "thaw %s", command->name) < 0)
        name = NULL;
    options->line = name ? cli_quote(argc, argv, name) : NULL;
    error_t error = ENOMEM;
    if (cli_check_option_names(argc, argv, command) != CLI_DONE) {
        error = EINVAL;
    } else if (options->rules && options->line && help) {
        argv[0] = name;
        error = parse(argc, argv, command, help, options);
    }
    free(name);
    free(help);
    if (error == ENOMEM)
        return cli_fail(command->name, "out of memory");
    if (error && cli_ranks_launched_rank() > 0)
        cli_misuse(command->name, "an option is unknown, or its value is missing");
    return error ? CLI_MISUSED : check_needed(options, command->needs);
}

void cli_options_release(cli_options *options)
{
    free(options->rules);
    free(options->line);
}
