/* Completion for zsh. */
#include <ctype.h>
#include <string.h>

#include "cli/generate.h"

static const char functions[] = "_thaw_data() {\n"
                                "  if compset -P 'folder:'; then\n"
                                "    _files -/\n"
                                "  elif compset -P '(idx|npy|npz|csv):'; then\n"
                                "    compset -P '*,'\n"
                                "    _files\n"
                                "  else\n"
                                "    compadd - fashion-mnist\n"
                                "    compadd -S '' - idx: folder: npy: npz: csv:\n"
                                "  fi\n"
                                "}\n\n"
                                "_thaw_list() {\n"
                                "  compset -P '* '\n"
                                "  compadd - \"$@\"\n"
                                "}\n\n";

/* The first clause of a text, as a single-quoted string, where zsh gives brackets and colons a meaning. */
static void print_clause(FILE *stream, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (strchr(":;,.", *c) && (c[1] == ' ' || !c[1]))
            break;
        if (*c == '(' && c > text)
            break;
        if (*c == '\'')
            fputs("'\\''", stream);
        else if (strchr("[]:\\", *c))
            fprintf(stream, "\\%c", *c);
        else if (!(*c == ' ' && c[1] == '('))
            fputc(*c, stream);
    }
}

/* Writes what follows "argument:" in zsh's notation. */
static void print_action(FILE *stream, const cli_option *option)
{
    const char *words = option->kind->words;
    const bool list = strcmp(option->argument, "LIST") == 0;
    switch (option->kind->completion) {
    case CLI_COMPLETE_NOTHING:
        fputc(' ', stream);
        break;
    case CLI_COMPLETE_FILES:
        if (words)
            fprintf(stream, "{compadd - %s; _files}", words);
        else
            fputs("_files", stream);
        break;
    case CLI_COMPLETE_FOLDERS:
        fputs("_files -/", stream);
        break;
    case CLI_COMPLETE_DATA:
        fputs("_thaw_data", stream);
        break;
    case CLI_COMPLETE_WORDS:
        fprintf(stream, "(%s)", words);
        break;
    case CLI_COMPLETE_MODELS:
        fputs("{compadd -", stream);
        cli_print_models(stream);
        fputc('}', stream);
        break;
    case CLI_COMPLETE_OPTIMIZERS:
        fputs(list ? "{_thaw_list" : "{compadd -", stream);
        cli_print_optimizers(stream);
        fputc('}', stream);
        break;
    case CLI_COMPLETE_POLICIES:
        fputs(list ? "{_thaw_list" : "{compadd -", stream);
        cli_print_policies(stream);
        fputc('}', stream);
        break;
    case CLI_COMPLETE_STRATEGIES:
        fputs(list ? "{_thaw_list" : "{compadd -", stream);
        cli_print_strategies(stream, "\\:");
        fputc('}', stream);
        break;
    }
}

/* `name` with its dashes; `value` is what stands between it and its value. */
static void print_option(FILE *stream, const cli_option *option, const char *name, const char *value)
{
    const bool repeated = cli_option_repeats(option);
    fprintf(stream, "      '%s%s%s[", repeated ? "*" : "", name, option->argument ? value : "");
    print_clause(stream, option->help);
    fputc(']', stream);
    if (option->argument) {
        fputc(':', stream);
        for (const char *c = option->argument; *c; c++)
            if (isalpha((unsigned char)*c))
                fputc(tolower((unsigned char)*c), stream);
            else
                fputc(' ', stream);
        fputc(':', stream);
        print_action(stream, option);
    }
    fputs("' \\\n", stream);
}

static void print_names(FILE *stream, const cli_option *option)
{
    char name[64];
    snprintf(name, sizeof name, "--%s", option->name);
    print_option(stream, option, name, "=");
    if (option->alias) {
        snprintf(name, sizeof name, "--%s", option->alias);
        print_option(stream, option, name, "=");
    }
    if (option->letter) {
        snprintf(name, sizeof name, "-%c", option->letter);
        print_option(stream, option, name, "+");
    }
}

void cli_generate_zsh(FILE *stream)
{
    fputs("#compdef thaw\n# Completion of thaw's command line for zsh. Made by `thaw --generate zsh`.\n\n", stream);
    fputs(functions, stream);
    fputs("_thaw() {\n  local -a commands\n  commands=(\n", stream);
    for (size_t i = 0; i < cli_command_count; i++)
        fprintf(stream, "    '%s:%s'\n", cli_commands[i]->name, cli_commands[i]->summary);
    fputs("  )\n"
          "  if (( CURRENT == 2 )); then\n"
          "    _describe -t commands command commands\n"
          "    _arguments '--help[list the commands]' '--version[print the version]'\n"
          "    return\n"
          "  fi\n"
          "  local command=$words[2]\n"
          "  shift words\n"
          "  (( CURRENT-- ))\n"
          "  case $command in\n",
          stream);
    for (size_t i = 0; i < cli_command_count; i++) {
        fprintf(stream, "  %s)\n    _arguments \\\n", cli_commands[i]->name);
        if (cli_commands[i]->arguments)
            fputs("      '*:image:_files' \\\n", stream);
        for (size_t k = 0; k < cli_option_count; k++)
            if (cli_option_table[k].set & cli_commands[i]->takes)
                print_names(stream, &cli_option_table[k]);
        for (size_t k = 0; k < cli_standard_option_count; k++)
            fprintf(stream, "      '--%s[%s]'%s\n", cli_standard_options[k].name, cli_standard_options[k].help,
                    k + 1 < cli_standard_option_count ? " \\" : "");
        fputs("    ;;\n", stream);
    }
    fputs("  esac\n}\n\n_thaw \"$@\"\n", stream);
}
