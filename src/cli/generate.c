#include "cli/generate.h"

#include <string.h>
#include <thaw/optimizer_module.h>
#include <thaw/strategy.h>
#include <thaw/zoo.h>

#include "cli/failure.h"

int cli_generate(const char *what, FILE *stream)
{
    const cli_command *command = strncmp(what, "man-", 4) == 0 ? cli_command_named(what + 4) : NULL;
    if (strcmp(what, "man") == 0)
        cli_generate_manual(stream);
    else if (command)
        cli_generate_command_manual(command, stream);
    else if (strcmp(what, "bash") == 0)
        cli_generate_bash(stream);
    else if (strcmp(what, "zsh") == 0)
        cli_generate_zsh(stream);
    else
        return cli_misuse("--generate", "\"%s\", must be man, man-COMMAND, bash or zsh", what);
    return CLI_DONE;
}

void cli_print_models(FILE *stream)
{
    const thaw_zoo_entry *network;
    for (size_t i = 0; (network = thaw_zoo_entry_at(i)); i++)
        fprintf(stream, " %s", network->name);
}

void cli_print_optimizers(FILE *stream)
{
    const thaw_optimizer_module *module;
    for (size_t i = 0; (module = thaw_optimizer_builtin(i)); i++)
        fprintf(stream, " %s", module->name);
}

void cli_print_strategies(FILE *stream, const char *colon)
{
    const char *name;
    for (size_t i = 0; (name = thaw_strategy_builtin(i)); i++) {
        fputc(' ', stream);
        for (const char *c = name; *c; c++)
            if (*c == ':')
                fputs(colon, stream);
            else
                fputc(*c, stream);
    }
}
