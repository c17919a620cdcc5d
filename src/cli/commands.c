#include "cli/command.h"

#include <string.h>
#include <thaw/base.h>

const cli_command *const cli_commands[] = {
    &cli_train,   &cli_finetune,   &cli_evaluate,   &cli_predict,  &cli_embed,    &cli_export,
    &cli_summary, &cli_plan,       &cli_demo,       &cli_lr_find,  &cli_bench,    &cli_report,
    &cli_models,  &cli_optimizers, &cli_strategies, &cli_policies, &cli_datasets,
};

const size_t cli_command_count = THAW_COUNT(cli_commands);

const cli_command *cli_command_named(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (strcmp(name, cli_commands[i]->name) == 0)
            return cli_commands[i];
    return NULL;
}
