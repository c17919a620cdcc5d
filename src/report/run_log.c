#include "report/run_log.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/context.h"
#include "graph/model.h"
#include "report/block_norms.h"
#include "report/csv_field.h"
#include "report/log_file.h"
#include "report/record.h"
#include "report/write.h"

/* A column of a table, and a series in TensorBoard. */
typedef struct series {
    char name[160];
    double value; /* NAN: unknown */
} series;

enum { EPOCH_SERIES = 9, STEP_SERIES = 7, BLOCK_SERIES = 3 };

struct thaw_run_log {
    thaw_context *context;
    size_t every;
    thaw_log_file steps, epochs, events;
    thaw_block_norms norms;
    series *step_series; /* STEP_SERIES, and BLOCK_SERIES of each block */
    size_t step_series_count;
    series epoch_series[EPOCH_SERIES];
    double seconds;      /* of training, in all epochs before this one */
    double loss, weight; /* sums since the last row */
    size_t samples_then; /* the run's samples at the last row */
    double seconds_then; /* and its seconds */
    bool broken;         /* a row could not be written: nothing more is logged */
};

/* ---------------------------------------------------------------- what is logged */

static void name_series(thaw_run_log *log)
{
    static const char *const steps[STEP_SERIES] = { "training/loss",          "training/skipped",
                                                    "step/rate_factor",       "step/samples_per_second",
                                                    "step/peak_memory_bytes", "step/gradient_norm",
                                                    "step/update_norm" };
    static const char *const epochs[EPOCH_SERIES] = {
        "epoch/training_loss",      "epoch/training_accuracy",  "test/loss",           "test/accuracy", "epoch/seconds",
        "epoch/samples_per_second", "epoch/parameters_trained", "epoch/skipped_steps", "epoch/cached",
    };
    static const char *const blocks[BLOCK_SERIES] = { "rate", "gradient_norm", "update_norm" };
    for (size_t i = 0; i < EPOCH_SERIES; i++)
        snprintf(log->epoch_series[i].name, sizeof log->epoch_series[i].name, "%s", epochs[i]);
    for (size_t i = 0; i < STEP_SERIES; i++)
        snprintf(log->step_series[i].name, sizeof log->step_series[i].name, "%s", steps[i]);
    for (size_t b = 0; b < log->norms.count; b++)
        for (size_t i = 0; i < BLOCK_SERIES; i++) {
            series *one = &log->step_series[STEP_SERIES + b * BLOCK_SERIES + i];
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
        series *of_block = &log->step_series[STEP_SERIES + b * BLOCK_SERIES];
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
    };
    for (size_t i = 0; i < EPOCH_SERIES; i++)
        log->epoch_series[i].value = values[i];
}

/* ---------------------------------------------------------------- rows */

static thaw_status append_line(const thaw_log_file *table, thaw_text *line)
{
    char *finished;
    thaw_text_append(line, "\r\n");
    thaw_status status = thaw_text_finish(line, &finished);
    if (status == THAW_OK)
        status = thaw_log_file_append(table, finished, strlen(finished));
    thaw_text_destroy(table->context, finished);
    return status;
}

static void append_header(thaw_text *line, const series *columns, size_t count)
{
    thaw_text_append(line, "step,epoch,seconds");
    for (size_t i = 0; i < count; i++) {
        thaw_text_append(line, ",");
        thaw_csv_append_text(line, columns[i].name);
    }
}

static thaw_status write_row(const thaw_run_log *log, const thaw_log_file *table, const thaw_trainer *trainer,
                             double seconds, const series *columns, size_t count)
{
    const thaw_trainer_position position = thaw_trainer_position_of(trainer);
    thaw_text line = { .context = log->context };
    thaw_event_file events = { .context = log->context };
    thaw_text_append(&line, "%zu,%d,", position.all_steps, position.epoch);
    thaw_csv_append_number(&line, seconds);
    for (size_t i = 0; i < count; i++) {
        thaw_text_append(&line, ",");
        thaw_csv_append_number(&line, columns[i].value);
        if (isfinite(columns[i].value))
            thaw_event_scalar(&events, seconds, (int64_t)position.all_steps, columns[i].name, columns[i].value);
    }
    thaw_status status = append_line(table, &line);
    if (status == THAW_OK)
        status = events.failed ? THAW_OUT_OF_MEMORY : thaw_log_file_append(&log->events, events.bytes, events.count);
    thaw_event_release(&events);
    return status;
}

/* ---------------------------------------------------------------- continuing */

/* The first bytes of a table: its header and the rows up to a step, whole ones. */
static size_t rows_until(const char *table, size_t header_bytes, size_t step, double *seconds)
{
    const char *kept = table + header_bytes;
    for (const char *end; (end = strchr(kept, '\n')); kept = end + 1) {
        char *comma;
        if (strtoull(kept, &comma, 10) > step || *comma != ',')
            break;
        strtol(comma + 1, &comma, 10);
        if (*comma == ',')
            *seconds = strtod(comma + 1, NULL);
    }
    return (size_t)(kept - table);
}

static thaw_status continue_table(const thaw_log_file *table, const char *header, bool resume, size_t step,
                                  double *seconds)
{
    unsigned char *content;
    size_t bytes;
    const size_t header_bytes = strlen(header);
    thaw_status status = thaw_log_file_read(table, &content, &bytes);
    if (status != THAW_OK)
        return status;
    const char *text = (const char *)content;
    if (bytes < header_bytes && memcmp(text, header, bytes) == 0) { /* empty, or killed while it was begun */
        status = thaw_log_file_cut(table, 0);
        if (status == THAW_OK)
            status = thaw_log_file_append(table, header, header_bytes);
    } else if (!resume) {
        status = thaw_fail(table->context, THAW_INVALID_ARGUMENT,
                           "%s: holds the log of another run; choose another folder, or resume that run", table->path);
    } else if (strncmp(text, header, header_bytes) != 0) {
        status = thaw_fail(table->context, THAW_INVALID_ARGUMENT, "%s: is the log of another model", table->path);
    } else {
        status = thaw_log_file_cut(table, rows_until(text, header_bytes, step, seconds));
    }
    thaw_release(table->context, content);
    return status;
}

static thaw_status begin_table(const thaw_run_log *log, const thaw_log_file *table, const series *columns, size_t count,
                               bool resume, size_t step, double *seconds)
{
    char *header;
    thaw_text line = { .context = log->context };
    append_header(&line, columns, count);
    thaw_text_append(&line, "\r\n");
    thaw_status status = thaw_text_finish(&line, &header);
    if (status == THAW_OK)
        status = continue_table(table, header, resume, step, seconds);
    thaw_text_destroy(log->context, header);
    return status;
}

static thaw_status begin_events(const thaw_run_log *log, size_t step)
{
    unsigned char *content;
    size_t bytes;
    thaw_status status = thaw_log_file_read(&log->events, &content, &bytes);
    if (status != THAW_OK)
        return status;
    const size_t kept = thaw_events_until(content, bytes, step);
    thaw_release(log->context, content);
    status = thaw_log_file_cut(&log->events, kept);
    if (status != THAW_OK || kept)
        return status;
    thaw_event_file first = { .context = log->context };
    thaw_event_begin(&first);
    status = first.failed ? THAW_OUT_OF_MEMORY : thaw_log_file_append(&log->events, first.bytes, first.count);
    thaw_event_release(&first);
    return status;
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

static thaw_status begin(thaw_run_log *log, thaw_model *model, const thaw_trainer *trainer, const char *folder,
                         bool resume)
{
    const thaw_trainer_position position = thaw_trainer_position_of(trainer);
    double ignored, seconds = 0;
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
        status = begin_table(log, &log->steps, log->step_series, log->step_series_count, resume, position.all_steps,
                             &seconds);
    if (status == THAW_OK)
        status = begin_table(log, &log->epochs, log->epoch_series, EPOCH_SERIES, resume, position.all_steps, &ignored);
    if (status == THAW_OK)
        status = begin_events(log, position.all_steps);
    log->samples_then = position.samples;
    log->seconds_then = seconds;
    log->seconds = seconds - thaw_trainer_result(trainer)->seconds;
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

static bool is_epochs_end(const thaw_trainer *trainer)
{
    return thaw_trainer_position_of(trainer).step == thaw_trainer_epoch_steps(trainer);
}

thaw_status thaw_run_log_step(thaw_run_log *log, thaw_trainer *trainer, bool *epoch_ended)
{
    thaw_step_result result;
    const size_t before = thaw_trainer_position_of(trainer).all_steps;
    const bool logged = (before + 1) % log->every == 0;
    if (logged && !log->broken)
        check(log, thaw_block_norms_keep(&log->norms));
    const thaw_status status = thaw_trainer_step(trainer, &result);
    const bool taken = thaw_trainer_position_of(trainer).all_steps > before;
    const double seconds = log->seconds + thaw_trainer_result(trainer)->seconds;
    if (taken && !log->broken) {
        log->loss += result.loss_total;
        log->weight += result.loss_weight;
        if (logged) {
            measure_step(log, trainer, &result, seconds);
            check(log, write_row(log, &log->steps, trainer, seconds, log->step_series, log->step_series_count));
        }
    }
    const bool ended = status == THAW_OK && is_epochs_end(trainer);
    if (ended) {
        measure_epoch(log, thaw_trainer_result(trainer));
        if (!log->broken)
            check(log, write_row(log, &log->epochs, trainer, seconds, log->epoch_series, EPOCH_SERIES));
        log->seconds = seconds;
    }
    if (epoch_ended)
        *epoch_ended = ended;
    return status;
}
