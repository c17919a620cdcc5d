#include "report/run_log.h"

#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "core/context.h"
#include "graph/model.h"
#include "report/block_norms.h"
#include "report/log_series.h"
#include "report/write.h"
#include "train/trainer.h"

enum { EPOCH_SERIES = 14, STEP_SERIES = 7, BLOCK_SERIES = 3 };

struct thaw_run_log {
    thaw_context *context;
    size_t every;
    thaw_log_file steps, epochs, events;
    thaw_block_norms norms;
    thaw_log_series *step_series; /* STEP_SERIES, and BLOCK_SERIES of each block */
    size_t step_series_count;
    thaw_log_series epoch_series[EPOCH_SERIES];
    size_t epoch_series_count; /* without the last one if there are no other ranks */
    double seconds;            /* of training, in all epochs before this one */
    double loss, weight;       /* sums since the last row */
    size_t samples_then;       /* the run's samples at the last row */
    double seconds_then;       /* and its seconds */
    bool broken;               /* a row could not be written: nothing more is logged */
};

/* ---------------------------------------------------------------- what is logged */

static void name_series(thaw_run_log *log)
{
    static const char *const steps[STEP_SERIES] = { "training/loss",          "training/skipped",
                                                    "step/rate_factor",       "step/samples_per_second",
                                                    "step/peak_memory_bytes", "step/gradient_norm",
                                                    "step/update_norm" };
    static const char *const epochs[EPOCH_SERIES] = {
        "epoch/training_loss",
        "epoch/training_accuracy",
        "test/loss",
        "test/accuracy",
        "epoch/seconds",
        "epoch/samples_per_second",
        "epoch/parameters_trained",
        "epoch/skipped_steps",
        "epoch/cached",
        "test/top5_accuracy",
        "test/macro_f1",
        "epoch/test_seconds",
        "epoch/wall_seconds",
        "epoch/sent_bytes",
    };
    static const char *const blocks[BLOCK_SERIES] = { "rate", "gradient_norm", "update_norm" };
    for (size_t i = 0; i < EPOCH_SERIES; i++)
        snprintf(log->epoch_series[i].name, sizeof log->epoch_series[i].name, "%s", epochs[i]);
    for (size_t i = 0; i < STEP_SERIES; i++)
        snprintf(log->step_series[i].name, sizeof log->step_series[i].name, "%s", steps[i]);
    for (size_t b = 0; b < log->norms.count; b++)
        for (size_t i = 0; i < BLOCK_SERIES; i++) {
            thaw_log_series *one = &log->step_series[STEP_SERIES + b * BLOCK_SERIES + i];
            snprintf(one->name, sizeof one->name, "%s/%s", blocks[i], log->norms.blocks[b].name);
        }
}

static double of_all(const thaw_block_norms *norms, bool update)
{
    double sum = NAN;
    for (size_t b = 0; b < norms->count; b++) {
        const double norm = update ? norms->blocks[b].update : norms->blocks[b].gradient;
        if (!isnan(norm))
            sum = (isnan(sum) ? 0 : sum) + norm * norm;
    }
    return sqrt(sum);
}

static double peak_memory_bytes(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1024 * (double)usage.ru_maxrss;
}

static void measure_step(thaw_run_log *log, const thaw_trainer *trainer, const thaw_step_result *result, double seconds)
{
    const thaw_epoch_result *epoch = thaw_trainer_result(trainer);
    const size_t samples = thaw_trainer_position_of(trainer).samples;
    thaw_block_norms_measure(&log->norms);
    const double values[STEP_SERIES] = {
        log->weight > 0 ? log->loss / log->weight : (double)NAN,
        result->skipped,
        epoch->rate_factor,
        (double)(samples - log->samples_then) / (seconds - log->seconds_then),
        peak_memory_bytes(),
        of_all(&log->norms, false),
        of_all(&log->norms, true),
    };
    for (size_t i = 0; i < STEP_SERIES; i++)
        log->step_series[i].value = values[i];
    for (size_t b = 0; b < log->norms.count; b++) {
        thaw_log_series *of_block = &log->step_series[STEP_SERIES + b * BLOCK_SERIES];
        of_block[0].value = log->norms.blocks[b].rate * epoch->rate_factor;
        of_block[1].value = log->norms.blocks[b].gradient;
        of_block[2].value = log->norms.blocks[b].update;
    }
    log->loss = log->weight = 0;
    log->samples_then = samples;
    log->seconds_then = seconds;
}

static void measure_epoch(thaw_run_log *log, const thaw_epoch_result *epoch)
{
    const double values[EPOCH_SERIES] = {
        epoch->loss,
        epoch->accuracy,
        epoch->test_loss,
        epoch->test_accuracy,
        epoch->seconds,
        epoch->samples_per_second,
        (double)epoch->trainable_parameters,
        (double)epoch->skipped_steps,
        epoch->cached,
        epoch->test_top5_accuracy,
        epoch->test_macro_f1,
        epoch->tested ? epoch->test_seconds : (double)NAN,
        epoch->wall_seconds,
        (double)epoch->sent_bytes,
    };
    for (size_t i = 0; i < EPOCH_SERIES; i++)
        log->epoch_series[i].value = values[i];
}

/* ---------------------------------------------------------------- opening */

static thaw_status open_files(thaw_run_log *log, const char *folder)
{
    thaw_status status = thaw_report_make_directory(log->context, folder);
    if (status == THAW_OK)
        status = thaw_log_file_open(log->context, folder, "steps.csv", &log->steps);
    if (status == THAW_OK)
        status = thaw_log_file_open(log->context, folder, "epochs.csv", &log->epochs);
    if (status == THAW_OK)
        status = thaw_log_file_open(log->context, folder, "events.out.tfevents.0000000000.thaw", &log->events);
    return status;
}

/* A run may go on with more ranks or fewer. The table keeps its columns. */
static thaw_status begin_epochs(thaw_run_log *log, const thaw_trainer *trainer, bool resume)
{
    const thaw_communicator *communicator = trainer->options.communicator;
    const bool spread = communicator && communicator->ranks > 1;
    thaw_log_moment ignored = { .step = thaw_trainer_position_of(trainer).all_steps };
    log->epoch_series_count = spread ? EPOCH_SERIES : EPOCH_SERIES - 1;
    const thaw_status status =
        thaw_log_begin_table(&log->epochs, log->epoch_series, log->epoch_series_count, resume, &ignored);
    if (!resume || status != THAW_INVALID_ARGUMENT)
        return status;
    log->epoch_series_count = spread ? EPOCH_SERIES - 1 : EPOCH_SERIES;
    return thaw_log_begin_table(&log->epochs, log->epoch_series, log->epoch_series_count, resume, &ignored);
}

static thaw_status begin(thaw_run_log *log, thaw_model *model, const thaw_trainer *trainer, const char *folder,
                         bool resume)
{
    thaw_log_moment now = { .step = thaw_trainer_position_of(trainer).all_steps };
    thaw_status status = thaw_block_norms_find(model, &log->norms);
    if (status != THAW_OK)
        return status;
    log->step_series_count = STEP_SERIES + BLOCK_SERIES * log->norms.count;
    log->step_series = thaw_allocate_array(log->context, log->step_series_count, sizeof *log->step_series);
    if (!log->step_series)
        return THAW_OUT_OF_MEMORY;
    name_series(log);
    status = open_files(log, folder);
    if (status == THAW_OK)
        status = thaw_log_begin_table(&log->steps, log->step_series, log->step_series_count, resume, &now);
    if (status == THAW_OK)
        status = begin_epochs(log, trainer, resume);
    if (status == THAW_OK)
        status = thaw_log_begin_events(&log->events, now);
    log->samples_then = thaw_trainer_position_of(trainer).samples;
    log->seconds_then = now.seconds;
    log->seconds = now.seconds - thaw_trainer_result(trainer)->seconds;
    return status;
}

thaw_status thaw_run_log_open(thaw_model *model, const thaw_trainer *trainer, const char *folder, size_t every,
                              bool resume, thaw_run_log **log)
{
    thaw_context *context = model->context;
    thaw_run_log *made = thaw_allocate_array(context, 1, sizeof *made);
    *log = NULL;
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_run_log){ .context = context, .every = every, .norms.model = model };
    made->steps = made->epochs = made->events = (thaw_log_file){ .context = context, .descriptor = -1 };
    const thaw_status status = begin(made, model, trainer, folder, resume);
    if (status == THAW_OK)
        *log = made;
    else
        thaw_run_log_close(made);
    return status;
}

void thaw_run_log_close(thaw_run_log *log)
{
    if (!log)
        return;
    thaw_log_file_close(&log->steps);
    thaw_log_file_close(&log->epochs);
    thaw_log_file_close(&log->events);
    thaw_block_norms_release(&log->norms);
    thaw_release(log->context, log->step_series);
    thaw_release(log->context, log);
}

/* ---------------------------------------------------------------- steps */

/* A log that cannot be written costs the log. */
static void check(thaw_run_log *log, thaw_status status)
{
    if (status == THAW_OK)
        return;
    log->broken = true;
    thaw_log(log->context, THAW_LOG_WARNING, "%s; nothing more is logged", thaw_context_message(log->context));
}

thaw_status thaw_run_log_step(thaw_run_log *log, thaw_trainer *trainer, bool *epoch_ended)
{
    thaw_step_result result;
    const size_t before = thaw_trainer_position_of(trainer).all_steps;
    const bool logged = (before + 1) % log->every == 0;
    if (logged && !log->broken)
        check(log, thaw_block_norms_keep(&log->norms));
    const thaw_status status = thaw_trainer_step(trainer, &result);
    const thaw_trainer_position position = thaw_trainer_position_of(trainer);
    const thaw_log_moment now = { position.all_steps, position.epoch,
                                  log->seconds + thaw_trainer_result(trainer)->seconds };
    if (position.all_steps > before) {
        log->loss += result.loss_total;
        log->weight += result.loss_weight;
    }
    if (position.all_steps > before && logged && !log->broken) {
        measure_step(log, trainer, &result, now.seconds);
        check(log, thaw_log_write(&log->steps, &log->events, now, log->step_series, log->step_series_count));
    }
    const bool ended = status == THAW_OK && position.step == thaw_trainer_epoch_steps(trainer);
    if (ended && !log->broken) {
        measure_epoch(log, thaw_trainer_result(trainer));
        check(log, thaw_log_write(&log->epochs, &log->events, now, log->epoch_series, log->epoch_series_count));
    }
    if (ended)
        log->seconds = now.seconds;
    if (epoch_ended)
        *epoch_ended = ended;
    return status;
}
