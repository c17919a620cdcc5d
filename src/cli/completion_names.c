/* Names that completion offers. */
#include <thaw/optimizer_module.h>
#include <thaw/policy_module.h>
#include <thaw/strategy.h>
#include <thaw/zoo.h>

#include "cli/generate.h"

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
    for (size_t i = 0; (module = thaw_optimizer_builtin_wrapper(i)); i++)
        fprintf(stream, " %s/", module->name);
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

void cli_print_policies(FILE *stream)
{
    const thaw_policy_module *module;
    for (size_t i = 0; (module = thaw_policy_builtin(i)); i++)
        fprintf(stream, " %s", module->name);
}
