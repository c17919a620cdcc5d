#include "train/best.h"

#include <math.h>
#include <thaw/weights.h>
#include <unistd.h>

#include "core/context.h"
#include "data/dataset.h"
#include "graph/model.h"

static const char *const names[] = {
    [THAW_MONITOR_AUTO] = "automatic",
    [THAW_MONITOR_LOSS] = "loss",
    [THAW_MONITOR_TEST_LOSS] = "test loss",
    [THAW_MONITOR_TEST_ACCURACY] = "test accuracy",
};

const char *thaw_monitor_name(thaw_monitor monitor)
{
    return (size_t)monitor < THAW_COUNT(names) ? names[monitor] : NULL;
}

/* ---------------------------------------------------------------- options */

static thaw_monitor best_there_is(const thaw_fit_options *options)
{
    if (!options->test)
        return THAW_MONITOR_LOSS;
    return thaw_dataset_classes(options->test) ? THAW_MONITOR_TEST_ACCURACY : THAW_MONITOR_TEST_LOSS;
}

static void forget(thaw_trainer *trainer)
{
    trainer->best = (thaw_best){ .monitor = trainer->options.best.monitor, .value = NAN };
}

thaw_status thaw_best_begin(thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    thaw_best_options *options = &trainer->options.best;
    const thaw_monitor most = best_there_is(&trainer->options);
    if (options->patience < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "patience is %d, must not be negative", options->patience);
    if (!thaw_monitor_name(options->monitor))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "monitor is %d, must be a thaw_monitor",
                         (int)options->monitor);
    if (options->monitor > most)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the run is to monitor the %s, but %s",
                         names[options->monitor],
                         most == THAW_MONITOR_LOSS ? "has no test data" : "its test data have no classes");
    if (options->monitor == THAW_MONITOR_AUTO)
        options->monitor = most;
    forget(trainer);
    return THAW_OK;
}

void thaw_best_restore(thaw_trainer *trainer)
{
    const thaw_best_options *options = &trainer->options.best;
    if (trainer->best.monitor != options->monitor)
        forget(trainer);
    if (!options->file || access(options->file, F_OK) != 0)
        trainer->best.saved = 0;
    trainer->epoch_result.best = trainer->best;
}

/* ---------------------------------------------------------------- epochs */

static double monitored(const thaw_trainer *trainer)
{
    const thaw_epoch_result *result = &trainer->epoch_result;
    switch (trainer->best.monitor) {
    case THAW_MONITOR_TEST_ACCURACY:
        return result->test_accuracy;
    case THAW_MONITOR_TEST_LOSS:
        return result->test_loss;
    case THAW_MONITOR_LOSS:
    case THAW_MONITOR_AUTO: /* it has been filled in */
        break;
    }
    return result->loss;
}

static bool is_better(const thaw_best *best, double value)
{
    const bool higher = best->monitor == THAW_MONITOR_TEST_ACCURACY;
    const double least = best->epoch ? best->value : higher ? -INFINITY : INFINITY;
    return higher ? value > least : value < least;
}

static thaw_status save_weights(thaw_trainer *trainer, const char *file)
{
    return thaw_weights_save(trainer->model, file);
}

/* A failure costs the file, not the run. */
static void save(thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    const thaw_communicator *communicator = trainer->options.communicator;
    const char *file = trainer->options.best.file;
    if (!file || (communicator && communicator->rank != 0))
        return;
    if ((trainer->average ? thaw_trainer_save_average : save_weights)(trainer, file) == THAW_OK)
        trainer->best.saved = trainer->best.epoch;
    else
        thaw_log(context, THAW_LOG_WARNING,
                 "the weights of epoch %d, the best so far, are not saved: %s; training goes on", trainer->best.epoch,
                 thaw_context_message(context));
}

void thaw_best_after_epoch(thaw_trainer *trainer)
{
    thaw_best *best = &trainer->best;
    const double value = monitored(trainer);
    const bool better = is_better(best, value);
    if (better) {
        best->epoch = trainer->position.epoch;
        best->value = value;
    }
    best->waited = better ? 0 : best->waited + 1;
    if (better)
        save(trainer);
    trainer->epoch_result.best = *best;
}

bool thaw_best_gives_up(const thaw_trainer *trainer)
{
    const int patience = trainer->options.best.patience;
    return patience > 0 && trainer->best.waited >= patience;
}
