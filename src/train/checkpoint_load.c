/* Continues a run from a checkpoint. */
#include <string.h>
#include <thaw/checkpoint.h>

#include "core/threads.h"
#include "policy/strategy.h"
#include "train/policy_run.h"
#include "train/run_description.h"
#include "train/run_state.h"
#include "train/snapshot.h"
#include "train/stored_run.h"

/* ---------------------------------------------------------------- reading */

/* A tensor of bytes, or NULL. */
static const thaw_stored_tensor *find_bytes(const thaw_stored_run *from, const char *name)
{
    const thaw_stored_tensor *tensor = thaw_safetensors_find(&from->file, name);
    return tensor && strcmp(tensor->dtype, "U8") == 0 ? tensor : NULL;
}

static thaw_status read_texts(thaw_stored_run *from)
{
    static const char format[] = THAW_SNAPSHOT_FORMAT;
    const size_t skipped = sizeof format - 1;
    const thaw_stored_tensor *run = find_bytes(from, THAW_SNAPSHOT_RUN), *state = find_bytes(from, THAW_SNAPSHOT_STATE);
    if (!run || !state)
        return thaw_stored_damaged(from, "it does not describe a run");
    const size_t run_bytes = (size_t)(run->end - run->begin);
    if (run_bytes < skipped || memcmp(from->bytes + run->begin, format, skipped) != 0)
        return thaw_stored_damaged(from, "its format is another");
    thaw_status status = thaw_lines_parse(from->context, from->path, from->bytes + run->begin + skipped,
                                          run_bytes - skipped, &from->run);
    if (status == THAW_OK)
        status = thaw_lines_parse(from->context, from->path, from->bytes + state->begin,
                                  (size_t)(state->end - state->begin), &from->state);
    from->used = 3; /* these two, and the checksum */
    return status;
}

static thaw_status open_stored(thaw_context *context, const char *path, thaw_stored_run *from)
{
    *from = (thaw_stored_run){ .context = context, .path = path, .file = { .descriptor = -1 } };
    thaw_status status = thaw_safetensors_open(context, path, &from->file);
    if (status == THAW_OK)
        status = thaw_safetensors_read_checked(&from->file, &from->bytes);
    if (status == THAW_UNSUPPORTED) /* a header that this version cannot have written */
        return thaw_fail(context, THAW_BAD_FORMAT, "%s", thaw_context_message(context));
    return status == THAW_OK ? read_texts(from) : status;
}

static void close_stored(thaw_stored_run *from)
{
    thaw_lines_release(&from->run);
    thaw_lines_release(&from->state);
    thaw_release(from->context, from->bytes);
    thaw_release(from->context, from->places);
    thaw_average_release(from->average);
    if (from->file.context)
        thaw_safetensors_close(&from->file);
}

/* ---------------------------------------------------------------- the run */

/* Whether the checkpoint has parameters that the model lacks: adapters that rules of the strategy have added. */
static bool lacks_parameters(const thaw_stored_run *from, const thaw_model *model)
{
    size_t parameters = 0;
    for (size_t i = 0; i < from->file.count; i++)
        parameters += !strchr(from->file.tensors[i].name, '[');
    return parameters > model->parameters.parameter_count;
}

static thaw_status apply_rules(thaw_trainer *trainer, const thaw_stored_run *from, int epochs)
{
    const thaw_fit_options *options = &trainer->options;
    thaw_status status = THAW_OK;
    if (!options->strategy || !lacks_parameters(from, trainer->model))
        return THAW_OK;
    for (int epoch = 1; epoch <= epochs && status == THAW_OK; epoch++)
        status = thaw_strategy_run(options->strategy, trainer->model, options->head,
                                   (thaw_part_epoch){ .epoch = epoch, .epochs = options->epochs }, NULL, NULL);
    return status;
}

static thaw_status restore(thaw_trainer *trainer, thaw_stored_run *from)
{
    thaw_parameter_set *set = &trainer->model->parameters;
    int ruled = 0;
    thaw_status status = thaw_run_describe_data(trainer);
    if (status == THAW_OK)
        status = thaw_run_compare(trainer, from->path, &from->run);
    if (status == THAW_OK)
        status = thaw_run_state_rules(trainer, from->path, &from->state, &ruled);
    if (status == THAW_OK)
        status = apply_rules(trainer, from, ruled);
    if (status == THAW_OK)
        status = thaw_run_state_check(trainer, from->path, &from->state);
    if (status == THAW_OK)
        status = thaw_stored_find_averages(from, set, trainer->options.average_decay);
    if (status == THAW_OK)
        status = thaw_policy_check_stored(trainer->policy, from);
    if (status == THAW_OK)
        status = thaw_stored_find_places(from, set);
    if (status != THAW_OK)
        return status;
    thaw_average_release(trainer->average);
    trainer->average = from->average;
    from->average = NULL;
    trainer->epoch_result.average_bytes = thaw_average_bytes(trainer->average);
    thaw_stored_fill(from);
    thaw_run_state_restore(trainer, &from->state);
    thaw_policy_restore(trainer->policy, from);
    thaw_trainer_release_data(trainer); /* a cache of other values, and a batch that was read ahead */
    return THAW_OK;
}

thaw_status thaw_trainer_load(thaw_trainer *trainer, const char *path)
{
    thaw_context *context = trainer->model->context;
    thaw_stored_run from;
    if (!path)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the path to load a checkpoint from is missing");
    thaw_trainer_use_weights(trainer);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    thaw_status status = open_stored(context, path, &from);
    if (status == THAW_OK)
        status = restore(trainer, &from);
    close_stored(&from);
    thaw_threads_leave(scope);
    return status;
}
