#include "cli/training_checks.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/average.h"
#include "cli/failure.h"
#include "io/new_file.h"

/* Checks before hours of training that the weights can be written: makes the file that will be renamed, with room
   for them, and removes it. */
static int check_place(const cli_session *session, const char *path, const char *option)
{
    const thaw_summary_totals totals = thaw_model_summary_totals(session->model);
    const uint64_t bytes = (uint64_t)(totals.total_parameters + totals.statistics) * sizeof(float);
    thaw_new_file file;
    const thaw_status status = thaw_new_file_create(session->context, path, bytes, &file);
    if (status == THAW_OK)
        thaw_new_file_discard(&file);
    return cli_check(session->context, status, option);
}

int cli_training_check_shards(const cli_options *options, const cli_ranks *ranks)
{
    const uint64_t given = options->accumulate ? options->accumulate : options->shards, shards = given ? given : 1;
    const char *option = options->accumulate ? "--accumulate" : "--shards";
    if (shards % (uint64_t)ranks->count)
        return cli_misuse(option, "\"%llu\", must be a multiple of the %d ranks", (unsigned long long)shards,
                          ranks->count);
    if (options->batch % shards && !options->accumulate && shards == (uint64_t)ranks->count)
        return cli_misuse("--batch", "\"%llu\", must be a multiple of the %d ranks", (unsigned long long)options->batch,
                          ranks->count);
    if (options->batch % shards)
        return cli_misuse(option, "\"%llu\", must divide the batch of %llu samples", (unsigned long long)shards,
                          (unsigned long long)options->batch);
    return CLI_DONE;
}

/* Options that mean nothing without another. */
static int check_checkpoints(const cli_options *options)
{
    const cli_interval *every = &options->checkpoint_every;
    if (options->checkpoint)
        return CLI_DONE;
    if (options->resume)
        return cli_misuse("--resume", "needs --checkpoint, the folder to continue from");
    if (every->steps || every->epochs || every->seconds > 0)
        return cli_misuse("--checkpoint-every", "needs --checkpoint, the folder to write to");
    return options->keep ? cli_misuse("--keep", "needs --checkpoint, the folder to keep them in") : CLI_DONE;
}

static int check_best(const cli_options *options)
{
    if (options->monitor && !options->best && !options->patience)
        return cli_misuse("--monitor", "needs --best or --patience: otherwise nothing depends on it");
    if (options->best && options->save && strcmp(options->best, options->save) == 0)
        return cli_misuse("--best", "\"%s\" is the file of --save, which would replace the best weights",
                          options->best);
    if (options->patience >= options->epochs)
        return cli_misuse("--patience", "%llu, must be less than the %llu epochs",
                          (unsigned long long)options->patience, (unsigned long long)options->epochs);
    return CLI_DONE;
}

static int check_broken(const cli_options *options)
{
    struct stat found;
    const char *path = options->save_broken;
    if (!path)
        return CLI_DONE;
    if ((options->save && strcmp(path, options->save) == 0) || (options->best && strcmp(path, options->best) == 0))
        return cli_misuse("--save-broken", "\"%s\" is the file of --save or --best, must be another", path);
    return lstat(path, &found) == 0 ? cli_misuse("--save-broken", "\"%s\" exists, must be a new file", path) : CLI_DONE;
}

static int check_average(const cli_session *session, const cli_ranks *ranks)
{
    char *name;
    int code = cli_average_check(session->options, session->test);
    if (code == CLI_DONE)
        code = cli_average_name(session->options, &name);
    if (code != CLI_DONE || !name)
        return code;
    if (ranks->rank == 0)
        code = check_place(session, name, "--ema");
    free(name);
    return code;
}

int cli_training_check_built(const cli_session *session, const cli_ranks *ranks)
{
    const cli_options *options = session->options;
    int code = CLI_DONE;
    if (options->monitor > THAW_MONITOR_LOSS && !session->test)
        code = cli_misuse("--monitor", "needs test data, which --data does not have; see --test-data");
    if (code == CLI_DONE && options->test_every && !session->test)
        code = cli_misuse("--test-every", "needs test data, which --data does not have; see --test-data");
    if (code == CLI_DONE && options->save && ranks->rank == 0)
        code = check_place(session, options->save, "--save");
    if (code == CLI_DONE && options->best && ranks->rank == 0)
        code = check_place(session, options->best, "--best");
    if (code == CLI_DONE && options->save_broken && ranks->rank == 0)
        code = check_place(session, options->save_broken, "--save-broken");
    if (code == CLI_DONE && options->average_decay > 0)
        code = check_average(session, ranks);
    return code;
}

int cli_training_check_line(const cli_options *options)
{
    int code = check_checkpoints(options);
    if (code == CLI_DONE)
        code = check_best(options);
    if (code == CLI_DONE)
        code = check_broken(options);
    if (code == CLI_DONE && options->shards && options->accumulate)
        code = cli_misuse("--accumulate", "cannot be used with --shards: both divide the batch");
    return code;
}
