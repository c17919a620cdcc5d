#include "cli/cache.h"

#include <stdlib.h>
#include <string.h>

#include "cli/failure.h"
#include "cli/strategy.h"
#include "core/context.h"

static bool draws_each_epoch(const thaw_dataset *data)
{
    return thaw_dataset_is_random(data) && !thaw_dataset_views(data);
}

/* Bytes per sample at the end of the frozen prefix; 0 if nothing there is worth keeping. */
static size_t feature_bytes(const cli_session *session, const thaw_fit_options *options)
{
    const thaw_plan_options wanted = {
        .batch = (int64_t)session->options->batch,
        .cache_dtype = options->cache_dtype,
        .random_data =
            draws_each_epoch(session->training) || session->options->mixup > 0 || session->options->cutmix > 0,
    };
    const thaw_plan *plan;
    thaw_trainability trainability;
    if (thaw_model_trainability(session->model, "*", &trainability) != THAW_OK || trainability == THAW_TRAINABLE)
        return 0;
    if (thaw_model_plan(session->model, &wanted, &plan) != THAW_OK)
        return 0; /* training reports why */
    return thaw_plan_totals_of(plan).cached_bytes_per_sample;
}

/* The largest features that two successive epochs share: one fills the cache, the other reads it. Tries the rules by
   epoch on a second network without values. */
static size_t lasting_bytes(const cli_session *session, const thaw_fit_options *options)
{
    if (session->strategy.rule_count == 0)
        return feature_bytes(session, options);
    cli_session trial;
    size_t before = 0, largest = 0;
    const int epochs = (int)session->options->epochs;
    int code = cli_session_open(&trial, session->options);
    if (code == CLI_DONE) {
        trial.context->structure_only = true;
        code = cli_strategy_read(&trial);
    }
    if (code == CLI_DONE)
        code = cli_build_model(&trial, session->training);
    if (code == CLI_DONE)
        code = cli_apply_rules(&trial);
    trial.training = session->training;
    for (int epoch = 1; code == CLI_DONE && epoch <= epochs; epoch++) {
        if (thaw_strategy_apply(&trial.strategy, trial.model, trial.head, epoch, epochs) != THAW_OK)
            break; /* training reports why */
        const size_t bytes = feature_bytes(&trial, options);
        largest = bytes == before && bytes > largest ? bytes : largest;
        before = bytes;
    }
    trial.training = NULL; /* borrowed */
    cli_session_close(&trial);
    return largest;
}

/* Whether auto should make a file: only for features that do not fit in memory, in all views. */
static bool wants_file(const cli_session *session, const thaw_fit_options *options, size_t bytes)
{
    const size_t views = thaw_dataset_views(session->training);
    return options->cache_bytes > 0 && bytes > 0 &&
           thaw_fit_cached_views(options, session->training, bytes) < (views ? views : 1);
}

static void choose_file(const cli_session *session, thaw_fit_options *options, char **path)
{
    const size_t bytes = lasting_bytes(session, options);
    if (!wants_file(session, options, bytes))
        return;
    char *found = cli_cache_path(session->options->data, session->options->model);
    thaw_fit_options filed = *options;
    filed.cache_file = found;
    filed.cache_file_bytes = found ? cli_cache_room(found) : 0;
    const size_t most = (size_t)session->options->cache_file_bytes;
    if (most && filed.cache_file_bytes > most)
        filed.cache_file_bytes = most;
    filed.cache_optional = true; /* another run may take the file first */
    if (found && cli_same_file(found, session->options->save))
        filed.cache_file_bytes = 0;
    if (filed.cache_file_bytes && thaw_fit_cached_views(&filed, session->training, bytes) >
                                      thaw_fit_cached_views(options, session->training, bytes)) {
        *options = filed;
        *path = found;
    } else {
        free(found);
    }
}

int cli_cache_choose(const cli_session *session, thaw_fit_options *options, char **path)
{
    const cli_options *given = session->options;
    const char *cache = given->cache;
    *path = NULL;
    options->cache_dtype = given->cache_bf16 ? THAW_BF16 : THAW_F32;
    if (strcmp(cache, "off") == 0)
        return CLI_DONE;
    options->cache_bytes = (size_t)given->cache_bytes;
    if (strcmp(cache, "memory") == 0)
        return CLI_DONE;
    if (strcmp(cache, "auto") == 0) {
        if (given->epochs > 1)
            choose_file(session, options, path);
        return CLI_DONE;
    }
    if (!*cache)
        return cli_misuse("--cache", "\"\", must be auto, memory, off or a file name");
    if (cli_same_file(cache, given->save))
        return cli_misuse("--cache", "\"%s\" is the file of --save, too; name another", cache);
    options->cache_file = cache;
    options->cache_optional = cli_cache_usable(cache); /* what is left is a lack of room, which costs the cache alone */
    options->cache_file_bytes = (size_t)given->cache_file_bytes;
    return CLI_DONE;
}
