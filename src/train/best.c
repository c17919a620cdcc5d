#include "train/best.h"

#include <math.h>
#include <thaw/weights.h>
#include <unistd.h>

#include "core/context.h"
#include "data/dataset.h"
#include "graph/model.h"
#include "params/view.h"

static const char *const names[] = {
    [THAW_MONITOR_AUTO] = "automatic",
    [THAW_MONITOR_LOSS] = "loss",
    [THAW_MONITOR_TEST_LOSS] = "test loss",
    [THAW_MONITOR_TEST_ACCURACY] = "test accuracy",
    [THAW_MONITOR_TEST_TOP5_ACCURACY] = "test top-5 accuracy",
    [THAW_MONITOR_TEST_MACRO_F1] = "test macro F1",
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
    return thaw_dataset_task(options->test) == THAW_TASK_CLASSES ? THAW_MONITOR_TEST_ACCURACY : THAW_MONITOR_TEST_LOSS;
}

static bool is_of_test(thaw_monitor monitor)
{
    return monitor > THAW_MONITOR_LOSS;
}

static bool is_of_classes(thaw_monitor monitor)
{
    return monitor >= THAW_MONITOR_TEST_ACCURACY;
}

/* Why the run does not have the monitored figure; NULL: it has. */
static const char *what_lacks(const thaw_trainer *trainer)
{
    const thaw_monitor monitor = trainer->options.best.monitor;
    thaw_dataset *test = trainer->options.test;
    if (is_of_test(monitor) && !test)
        return "has no test data";
    if (is_of_classes(monitor) && thaw_dataset_classes(test) == 0)
        return "its test data have no classes";
    return monitor == THAW_MONITOR_TEST_TOP5_ACCURACY && thaw_model_label_classes(trainer->model) <= 5
               ? "there are at most five classes, of which all are among the top 5"
               : NULL;
}

static void forget(thaw_trainer *trainer)
{
    trainer->best = (thaw_best){ .monitor = trainer->options.best.monitor, .value = NAN };
}

thaw_status thaw_best_begin(thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    thaw_best_options *options = &trainer->options.best;
    if (options->patience < 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "patience is %d, must not be negative", options->patience);
    if (!thaw_monitor_name(options->monitor))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "monitor is %d, must be a thaw_monitor",
                         (int)options->monitor);
    const char *lack = what_lacks(trainer);
    if (lack)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the run is to monitor the %s, but %s",
                         names[options->monitor], lack);
    if (options->monitor == THAW_MONITOR_AUTO)
        options->monitor = best_there_is(&trainer->options);
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
    case THAW_MONITOR_TEST_MACRO_F1:
        return result->test_macro_f1;
    case THAW_MONITOR_TEST_TOP5_ACCURACY:
        return result->test_top5_accuracy;
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
    const bool higher = is_of_classes(best->monitor);
    const double least = best->epoch ? best->value : higher ? -INFINITY : INFINITY;
    return higher ? value > least : value < least;
}

static thaw_status save_weights(thaw_trainer *trainer, const char *file)
{
    thaw_parameter_set *set = &trainer->model->parameters;
    const bool viewed = set->viewed;
    thaw_status status = thaw_set_use_view(set, true);
    if (status == THAW_OK)
        status = thaw_weights_save(trainer->model, file);
    if (!viewed)
        thaw_set_use_view(set, false);
    return status;
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
    trainer->epoch_result.best = *best;
    if (is_of_test(best->monitor) && !trainer->epoch_result.tested)
        return;
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

bool thaw_best_ends_untested(const thaw_trainer *trainer)
{
    const thaw_best *best = &trainer->best;
    const int patience = trainer->options.best.patience;
    return patience > 0 && !is_of_test(best->monitor) && best->waited + 1 >= patience &&
           !is_better(best, monitored(trainer));
}
