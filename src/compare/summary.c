/* The summaries of a configuration, as the file of results has them. */
#include <math.h>

#include "compare/tuning.h"

json_t *thaw_mean_json(thaw_mean mean)
{
    return json_pack("{sIsosososo}", "count", (json_int_t)mean.count, "mean", thaw_json_number(mean.mean), "sd",
                     thaw_json_number(mean.sd), "low", thaw_json_number(mean.low), "high", thaw_json_number(mean.high));
}

static json_t *times_json(const thaw_configuration *one)
{
    if (isnan(one->seconds_per_epoch))
        return json_null();
    return json_pack("{sososososo}", "data", thaw_json_number(one->phases.data), "forward",
                     thaw_json_number(one->phases.forward), "backward", thaw_json_number(one->phases.backward),
                     "update", thaw_json_number(one->phases.update), "other", thaw_json_number(one->other_seconds));
}

static json_t *bytes_json(const thaw_run_bytes *bytes)
{
    return json_pack("{sIsIsIsIsI}", "weights", (json_int_t)bytes->weights, "gradients", (json_int_t)bytes->gradients,
                     "optimizer_state", (json_int_t)bytes->optimizer_state, "activations",
                     (json_int_t)bytes->activations, "cache", (json_int_t)bytes->cache);
}

static json_t *reach_json(const thaw_reach *reach)
{
    return json_pack("{sosososo}", "mean", thaw_json_number(reach->mean), "at_least", thaw_json_number(reach->at_least),
                     "low", thaw_json_number(reach->low), "high", thaw_json_number(reach->high));
}

static json_t *rank_json(int rank)
{
    return rank ? json_integer(rank) : json_null();
}

static json_t *target_json(const thaw_to_target *target)
{
    return json_pack("{sIsIsosososo}", "runs", (json_int_t)target->seconds.count, "reached",
                     (json_int_t)target->seconds.reached, "seconds", reach_json(&target->seconds), "steps",
                     reach_json(&target->steps), "rank_by_seconds", rank_json(target->rank_by_seconds), "rank_by_steps",
                     rank_json(target->rank_by_steps));
}

static thaw_status append_epochs(thaw_comparison *comparison, size_t index, const char *figure, json_t *list)
{
    thaw_status status = THAW_OK;
    const size_t epochs = comparison->configurations[index].accuracy.count ? (size_t)comparison->options.epochs : 0;
    for (size_t e = 0; e < epochs && status == THAW_OK; e++) {
        thaw_mean mean;
        status = thaw_summarize_epoch(comparison, &comparison->entries[index], e, figure, &mean);
        if (status == THAW_OK)
            json_array_append_new(list, thaw_mean_json(mean));
    }
    return status;
}

thaw_status thaw_summary_append(thaw_comparison *comparison, size_t index, json_t *list)
{
    const thaw_configuration *one = &comparison->configurations[index];
    json_t *object = json_object(), *accuracies = json_array(), *losses = json_array();
    json_object_set_new(object, "strategy", json_string(one->strategy));
    json_object_set_new(object, "optimizer", json_string(one->optimizer));
    json_object_set_new(object, "learning_rate", thaw_json_number(one->learning_rate));
    if (comparison->tuning)
        json_object_set_new(object, "tuning", thaw_tuning_choice_json(comparison, index));
    json_object_set_new(object, "runs", json_integer((json_int_t)one->runs));
    json_object_set_new(object, "diverged", json_integer((json_int_t)one->diverged));
    json_object_set_new(object, "chosen", json_boolean(one->chosen));
    json_object_set_new(object, "accuracy", thaw_mean_json(one->accuracy));
    json_object_set_new(object, "loss", thaw_mean_json(one->loss));
    json_object_set_new(object, "epoch_accuracy", accuracies);
    json_object_set_new(object, "epoch_loss", losses);
    json_object_set_new(object, "seconds_per_epoch", thaw_json_number(one->seconds_per_epoch));
    json_object_set_new(object, "times", times_json(one));
    json_object_set_new(object, "samples_per_second", thaw_json_number(one->samples_per_second));
    json_object_set_new(object, "seconds", thaw_mean_json(one->seconds));
    json_object_set_new(object, "seconds_to_target", thaw_json_number(one->seconds_to_target));
    if (thaw_has_target(&comparison->options))
        json_object_set_new(object, "to_target", target_json(&one->to_target));
    if (one->race.stopped)
        json_object_set_new(object, "stopped", thaw_race_end_json(comparison, &one->race));
    json_object_set_new(object, "joules_per_epoch", thaw_json_number(one->joules_per_epoch));
    json_object_set_new(object, "parameters_trained", json_integer((json_int_t)one->parameters_trained));
    json_object_set_new(object, "bytes", bytes_json(&one->bytes));
    json_object_set_new(object, "flops_per_step", thaw_json_number(one->flops_per_step));
    json_object_set_new(object, "rank", rank_json(one->rank));
    json_object_set_new(object, "pareto_time", json_boolean(one->pareto_time));
    json_object_set_new(object, "pareto_memory", json_boolean(one->pareto_memory));
    json_object_set_new(object, "against_full",
                        one->against_full.count ? thaw_mean_json(one->against_full) : json_null());
    json_array_append_new(list, object);
    thaw_status status = append_epochs(comparison, index, "test_accuracy", accuracies);
    if (status == THAW_OK)
        status = append_epochs(comparison, index, "test_loss", losses);
    return status;
}
