#include "train/checkpoint.h"

#include <math.h>
#include <thaw/checkpoint.h>

#include "core/allocation.h"
#include "core/clock.h"
#include "core/context.h"
#include "graph/model.h"
#include "train/checkpoint_folder.h"
#include "train/checkpoint_writer.h"
#include "train/run_description.h"

enum { DEFAULT_KEEP = 3 };

struct thaw_checkpoints {
    thaw_checkpoint_options options;
    thaw_checkpoint_writer *writer;
    bool due;
    double last_at;  /* in seconds */
    bool any;        /* there is a checkpoint: */
    uint64_t last;   /* after so many steps, */
    bool last_open;  /* in an epoch or between two */
    char *continued; /* the path that the run continued from, or NULL */
};

/* ---------------------------------------------------------------- explicit calls */

thaw_status thaw_trainer_save(thaw_trainer *trainer, const char *path)
{
    thaw_context *context = trainer->model->context;
    thaw_snapshot snapshot = { 0 };
    if (!path)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the path to save a checkpoint to is missing");
    thaw_status status = thaw_snapshot_take(&snapshot, trainer);
    if (status == THAW_OK)
        status = thaw_snapshot_write(&snapshot, context, path);
    thaw_snapshot_release(&snapshot, context);
    return status;
}

/* ---------------------------------------------------------------- writing */

/* All ranks have the same state: the first one writes it. */
static bool writes(const thaw_trainer *trainer)
{
    const thaw_communicator *communicator = trainer->options.communicator;
    return trainer->checkpoints && (!communicator || communicator->rank == 0);
}

/* A failed checkpoint costs itself, not the run. */
static void warn(thaw_trainer *trainer, thaw_status status)
{
    thaw_context *context = trainer->model->context;
    if (status != THAW_OK)
        thaw_log(context, THAW_LOG_WARNING, "no checkpoint: %s; training goes on", thaw_context_message(context));
}

static void note_position(thaw_trainer *trainer)
{
    thaw_checkpoints *checkpoints = trainer->checkpoints;
    checkpoints->any = true;
    checkpoints->last = trainer->position.all_steps;
    checkpoints->last_open = trainer->open;
    checkpoints->last_at = thaw_seconds();
    checkpoints->due = false;
}

static bool has_position(const thaw_trainer *trainer)
{
    const thaw_checkpoints *checkpoints = trainer->checkpoints;
    return checkpoints->any && checkpoints->last == trainer->position.all_steps &&
           checkpoints->last_open == trainer->open;
}

/* Waits for the last one, tells how it went, and starts the next. */
static void take(thaw_trainer *trainer)
{
    thaw_checkpoints *checkpoints = trainer->checkpoints;
    warn(trainer, thaw_checkpoint_writer_wait(checkpoints->writer, trainer->model->context));
    const thaw_status status = thaw_checkpoint_writer_start(checkpoints->writer, trainer);
    warn(trainer, status);
    note_position(trainer);
}

void thaw_checkpoints_after_step(thaw_trainer *trainer)
{
    thaw_checkpoints *checkpoints = trainer->checkpoints;
    if (!writes(trainer))
        return;
    const thaw_checkpoint_options *options = &checkpoints->options;
    if (options->every_steps && trainer->position.all_steps % options->every_steps == 0)
        checkpoints->due = true;
    if (options->every_seconds > 0 && thaw_seconds() - checkpoints->last_at >= options->every_seconds)
        checkpoints->due = true;
    /* The end of an epoch has one of its own. */
    if (checkpoints->due && trainer->position.step < trainer->epoch_steps &&
        !thaw_checkpoint_writer_busy(checkpoints->writer))
        take(trainer);
}

void thaw_checkpoints_after_epoch(thaw_trainer *trainer)
{
    thaw_checkpoints *checkpoints = trainer->checkpoints;
    if (!writes(trainer))
        return;
    const int every = checkpoints->options.every_epochs;
    if (every && trainer->position.epoch % every == 0)
        checkpoints->due = true;
    if (checkpoints->due || thaw_trainer_done(trainer))
        take(trainer);
}

thaw_status thaw_trainer_checkpoint(thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    thaw_checkpoints *checkpoints = trainer->checkpoints;
    if (!checkpoints)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the run has no folder for checkpoints");
    if (!writes(trainer))
        return THAW_OK;
    thaw_status status = thaw_checkpoint_writer_wait(checkpoints->writer, context);
    if (status == THAW_OK && has_position(trainer))
        return THAW_OK;
    status = thaw_checkpoint_writer_start(checkpoints->writer, trainer);
    if (status == THAW_OK)
        status = thaw_checkpoint_writer_wait(checkpoints->writer, context);
    if (status == THAW_OK)
        note_position(trainer);
    return status;
}

const char *thaw_trainer_checkpoint_path(thaw_trainer *trainer)
{
    thaw_checkpoints *checkpoints = trainer->checkpoints;
    if (!checkpoints)
        return NULL;
    warn(trainer, thaw_checkpoint_writer_wait(checkpoints->writer, trainer->model->context));
    const char *written = thaw_checkpoint_writer_path(checkpoints->writer);
    return written ? written : checkpoints->continued;
}

/* ---------------------------------------------------------------- continuing */

/* From the newest file on; a damaged one is reported, and the one before it is next. */
static thaw_status load_newest(thaw_trainer *trainer, const thaw_checkpoint_list *list)
{
    thaw_context *context = trainer->model->context;
    const char *folder = trainer->checkpoints->options.folder;
    thaw_status status = THAW_OK;
    for (size_t i = list->count; i > 0; i--) {
        char *path;
        status = thaw_checkpoint_folder_path(context, folder, list->steps[i - 1], &path);
        if (status == THAW_OK)
            status = thaw_trainer_load(trainer, path);
        if (status == THAW_OK) {
            trainer->checkpoints->continued = path;
            note_position(trainer);
            thaw_log(context, THAW_LOG_INFO, "the run continues from %s: epoch %d, step %zu of %zu", path,
                     trainer->position.epoch, trainer->position.step, trainer->epoch_steps);
            return THAW_OK;
        }
        thaw_release(context, path);
        if (status != THAW_BAD_FORMAT && status != THAW_IO_ERROR)
            return status;
        if (i > 1)
            thaw_log(context, THAW_LOG_WARNING, "%s; the checkpoint before it is taken", thaw_context_message(context));
    }
    return status;
}

static thaw_status resume(thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    const thaw_checkpoint_options *options = &trainer->checkpoints->options;
    thaw_checkpoint_list list;
    thaw_status status = thaw_checkpoint_folder_list(context, options->folder, &list);
    if (status != THAW_OK)
        return status;
    if (list.count == 0 && options->resume)
        thaw_log(context, THAW_LOG_INFO, "%s holds no checkpoint: the run starts anew", options->folder);
    else if (list.count && options->resume)
        status = load_newest(trainer, &list);
    else if (list.count)
        status =
            thaw_fail(context, THAW_INVALID_ARGUMENT,
                      "%s holds checkpoints of a run: continue that (resume), or use another folder", options->folder);
    thaw_release(context, list.steps);
    return status;
}

static thaw_status check_options(thaw_context *context, const thaw_checkpoint_options *options)
{
    if (options->every_epochs < 0 || options->keep < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "checkpoints: every %d epochs, keep %d: neither may be negative", options->every_epochs,
                         options->keep);
    if (!isfinite(options->every_seconds) || options->every_seconds < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "checkpoints: every %g seconds, must be finite and not negative", options->every_seconds);
    return THAW_OK;
}

thaw_status thaw_checkpoints_open(thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    const thaw_checkpoint_options *options = &trainer->options.checkpoint;
    thaw_status status = thaw_run_describe(trainer);
    if (status != THAW_OK || !options->folder)
        return status;
    status = check_options(context, options);
    if (status != THAW_OK)
        return status;
    trainer->checkpoints = thaw_allocate(context, sizeof *trainer->checkpoints);
    if (!trainer->checkpoints)
        return THAW_OUT_OF_MEMORY;
    thaw_checkpoints *made = trainer->checkpoints;
    *made = (thaw_checkpoints){ .options = *options, .last_at = thaw_seconds() };
    if (!options->every_steps && options->every_seconds == 0 && !options->every_epochs)
        made->options.every_epochs = 1;
    made->options.keep = options->keep ? options->keep : DEFAULT_KEEP;
    status = thaw_checkpoint_folder_make(context, options->folder);
    if (status == THAW_OK)
        status = thaw_checkpoint_writer_create(context, options->folder, (size_t)made->options.keep, &made->writer);
    return status == THAW_OK ? resume(trainer) : status;
}

void thaw_checkpoints_close(thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    thaw_checkpoints *checkpoints = trainer->checkpoints;
    thaw_release(context, trainer->description);
    if (!checkpoints)
        return;
    if (checkpoints->writer)
        warn(trainer, thaw_checkpoint_writer_wait(checkpoints->writer, context));
    thaw_checkpoint_writer_destroy(checkpoints->writer);
    thaw_release(context, checkpoints->continued);
    thaw_release(context, checkpoints);
    trainer->checkpoints = NULL;
}
