/* Tests of a run. */
#include <math.h>

#include "core/clock.h"
#include "features/cache_choice.h"
#include "params/view.h"
#include "train/best.h"
#include "train/evaluation.h"
#include "train/trainer.h"

/* The average of a parameter that no longer trains goes on, so that the frozen layers differ from test to test. Those of
   a view differ from those in training. */
static bool is_prefix_fixed(const thaw_trainer *trainer)
{
    const thaw_average *average = trainer->average;
    return average ? average->count == average->active_count : !thaw_set_views_frozen(&trainer->model->parameters);
}

static thaw_status use_best_weights(thaw_trainer *trainer)
{
    return trainer->average ? thaw_average_use(trainer->average, true)
                            : thaw_set_use_view(&trainer->model->parameters, true);
}

thaw_status thaw_trainer_test(thaw_trainer *trainer, thaw_evaluation *result)
{
    const thaw_fit_options *options = &trainer->options;
    const bool used = (trainer->average && trainer->average->in_use) || trainer->model->parameters.viewed;
    *result =
        (thaw_evaluation){ .loss = NAN, .accuracy = NAN, .top5_accuracy = NAN, .macro_f1 = NAN, .perplexity = NAN };
    thaw_status status = use_best_weights(trainer);
    const thaw_evaluation_options wanted = { .batch = options->batch / options->shards,
                                             .on_batch = options->on_test,
                                             .user = options->user };
    if (status == THAW_OK)
        status = thaw_evaluate_with_cache(trainer->model, options->test, &wanted, options->communicator,
                                          is_prefix_fixed(trainer) ? &trainer->test_cache : NULL, result);
    if (!used)
        thaw_trainer_use_weights(trainer);
    return status;
}

/* After every so many epochs, and after the last. */
static bool is_due(const thaw_trainer *trainer)
{
    const int epoch = trainer->position.epoch;
    return thaw_next_test(&trainer->options, epoch - 1) == epoch || thaw_best_ends_untested(trainer);
}

thaw_status thaw_trainer_test_epoch(thaw_trainer *trainer)
{
    thaw_epoch_result *epoch_result = &trainer->epoch_result;
    thaw_evaluation test;
    if (!trainer->options.test || !is_due(trainer))
        return THAW_OK;
    const double start = thaw_seconds();
    const thaw_status status = thaw_trainer_test(trainer, &test);
    epoch_result->tested = status == THAW_OK;
    epoch_result->test_loss = test.loss;
    epoch_result->test_accuracy = test.accuracy;
    epoch_result->test_top5_accuracy = test.top5_accuracy;
    epoch_result->test_macro_f1 = test.macro_f1;
    epoch_result->test_perplexity = test.perplexity;
    epoch_result->test_seconds = thaw_seconds() - start;
    epoch_result->test_cached = trainer->test_cache.used;
    epoch_result->test_cache_bytes = thaw_feature_cache_bytes(trainer->test_cache.features);
    return status;
}
