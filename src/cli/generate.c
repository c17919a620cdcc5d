#include "cli/generate.h"

#include <string.h>

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
