#include "cli/average.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"

int cli_average_name(const cli_options *options, char **name)
{
    static const char ending[] = ".safetensors";
    const char *save = options->save;
    *name = NULL;
    if (!save || options->average_decay == 0)
        return CLI_DONE;
    const size_t length = strlen(save), tail = sizeof ending - 1;
    const bool ends = length > tail && strcmp(save + length - tail, ending) == 0;
    if (asprintf(name, "%.*s.ema%s", (int)(ends ? length - tail : length), save, ends ? ending : "") >= 0)
        return CLI_DONE;
    *name = NULL;
    return cli_fail("--ema", "out of memory");
}

int cli_average_check(const cli_options *options, const thaw_dataset *test)
{
    char *name;
    if (!options->save && !options->best && !test)
        return cli_misuse("--ema", "needs --save, --best or test data: otherwise nothing depends on it");
    int code = cli_average_name(options, &name);
    if (code == CLI_DONE && name && options->best && strcmp(options->best, name) == 0)
        code = cli_misuse("--best", "\"%s\" is the file of --ema, which would replace the best weights", name);
    free(name);
    return code;
}
