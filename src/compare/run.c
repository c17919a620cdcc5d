/* One run of a comparison. */
#include <math.h>
#include <stdio.h>
#include <thaw/trainer.h>

#include "compare/comparison.h"
#include "compare/energy.h"
#include "compare/paused.h"
#include "compare/tuning.h"
#include "core/clock.h"
#include "core/context.h"
#include "graph/model.h"
#include "plan/plan.h"

typedef struct run {
    thaw_comparison *comparison;
    const thaw_comparison_entry *entry;
    uint64_t seed;
    size_t job, number; /* of the run */
    thaw_model *model;
    json_t *epochs, *actions;
    thaw_energy before, after; /* the training of the epoch */
} run;

static thaw_dataset *training_of(const run *now)
{
    return now->entry->is_trial ? now->comparison->tuning->training : now->comparison->options.training;
}

/* ---------------------------------------------------------------- records */

static const char *state_word(const thaw_plan_entry *entry, bool has_parameters, bool cached)
{
    if (entry->region == THAW_REGION_PREFIX)
        return cached ? "cached" : "fused";
    if (!has_parameters || entry->trainability == THAW_FROZEN)
        return "frozen";
    return entry->trainability == THAW_PARTIAL ? "partial" : "trained";
}

static json_t *record_layer_states(const run *now, const thaw_plan *plan, bool cached)
{
    json_t *states = json_array();
    const thaw_node loss = thaw_model_loss(now->model);
    for (size_t i = 1; i < now->model->node_count; i++) {
        thaw_plan_entry entry;
        if ((thaw_node)i != loss && thaw_plan_entry_at(plan, i, &entry) == THAW_OK)
            json_array_append_new(states, json_string(state_word(&entry, now->model->nodes[i].group != NULL, cached)));
    }
    return states;
}

static json_t *record_bytes(const run *now, const thaw_epoch_result *epoch_result)
{
    const thaw_summary_totals totals = thaw_model_summary_totals(now->model);
    const size_t weights = (totals.total_parameters + totals.statistics) * sizeof(float);
    return json_pack("{sIsIsIsIsI}", "weights", (json_int_t)weights, "gradients",
                     (json_int_t)epoch_result->gradient_bytes, "optimizer_state",
                     (json_int_t)epoch_result->optimizer_state_bytes, "activations",
                     (json_int_t)epoch_result->activation_bytes, "cache", (json_int_t)epoch_result->cache_bytes);
}

static json_t *record_times(const thaw_epoch_result *epoch_result)
{
    const thaw_phase_seconds *phases = &epoch_result->phases;
    const double other = epoch_result->seconds - phases->data - phases->forward - phases->backward - phases->update;
    return json_pack("{sfsfsfsfsf}", "data", phases->data, "forward", phases->forward, "backward", phases->backward,
                     "update", phases->update, "other", other > 0 ? other : 0.0);
}

/* What several runs use at the same time belongs to none of them. */
static double energy_of(const run *now)
{
    return now->comparison->options.jobs > 1 ? NAN : thaw_energy_between(&now->before, &now->after);
}

static thaw_status record_epoch(run *now, const thaw_epoch_result *epoch_result)
{
    const thaw_plan *plan;
    const size_t samples = thaw_dataset_count(training_of(now));
    const int64_t batch = now->comparison->options.batch;
    const thaw_status status =
        thaw_model_plan(now->model, &(thaw_plan_options){ .batch = (size_t)batch < samples ? batch : (int64_t)samples },
                        &plan);
    if (status != THAW_OK)
        return status;
    const thaw_plan_totals totals = thaw_plan_totals_of(plan);
    json_t *epoch = json_object();
    json_object_set_new(epoch, "epoch", json_integer(epoch_result->epoch));
    json_object_set_new(epoch, "training_loss", thaw_json_number(epoch_result->loss));
    json_object_set_new(epoch, "training_accuracy", thaw_json_number(epoch_result->accuracy));
    json_object_set_new(epoch, "test_loss", thaw_json_number(epoch_result->test_loss));
    json_object_set_new(epoch, "test_accuracy", thaw_json_number(epoch_result->test_accuracy));
    json_object_set_new(epoch, "seconds", thaw_json_number(epoch_result->seconds));
    json_object_set_new(epoch, "test_seconds", thaw_json_number(epoch_result->test_seconds));
    json_object_set_new(epoch, "wall_seconds", thaw_json_number(epoch_result->wall_seconds));
    json_object_set_new(epoch, "times", record_times(epoch_result));
    json_object_set_new(epoch, "samples_per_second", thaw_json_number(epoch_result->samples_per_second));
    json_object_set_new(epoch, "joules", thaw_json_number(energy_of(now)));
    json_object_set_new(epoch, "parameters_trained", json_integer((json_int_t)epoch_result->trainable_parameters));
    json_object_set_new(epoch, "bytes", record_bytes(now, epoch_result));
    json_object_set_new(epoch, "flops_per_step",
                        thaw_json_number(epoch_result->cached ? totals.cached_flops : totals.flops));
    json_object_set_new(epoch, "cached", json_boolean(epoch_result->cached));
    if (epoch_result->views) {
        json_object_set_new(epoch, "views", json_integer((json_int_t)epoch_result->views));
        json_object_set_new(epoch, "view", json_integer((json_int_t)epoch_result->view));
    }
    json_object_set_new(epoch, "layer_states", record_layer_states(now, plan, epoch_result->cached));
    return json_array_append_new(now->epochs, epoch) == 0
               ? THAW_OK
               : thaw_fail(now->model->context, THAW_OUT_OF_MEMORY, "a record of an epoch");
}

/* ---------------------------------------------------------------- training */

/* Calls the host's function; not again once it has said to stop. */
static bool tell(thaw_comparison *comparison, const run *now, const thaw_progress *training)
{
    const size_t runs = comparison->planned;
    const size_t done = comparison->done, ran = done - comparison->resumed;
    const double each = (thaw_seconds() - comparison->began) / (double)ran;
    const thaw_comparison_progress progress = {
        .run = now->number,
        .runs = runs,
        .job = now->job,
        .strategy = now->entry->strategy->name,
        .optimizer = now->entry->optimizer,
        .learning_rate = now->entry->learning_rate,
        .trial = now->entry->is_trial ? now->entry->trial : 0,
        .seed = now->seed,
        .seconds_left = ran ? each * (double)(runs - done) : NAN,
        .training = *training,
    };
    pthread_mutex_lock(&comparison->telling);
    if (!atomic_load(&comparison->stop) && !comparison->options.on_progress(comparison->options.user, &progress))
        atomic_store(&comparison->stop, true);
    pthread_mutex_unlock(&comparison->telling);
    return !atomic_load(&comparison->stop);
}

static bool on_step(void *user, const thaw_progress *training)
{
    run *now = user;
    thaw_comparison *comparison = now->comparison;
    if (training->step == training->steps)
        now->after = thaw_energy_read(NULL);
    return comparison->options.on_progress ? tell(comparison, now, training) : !atomic_load(&comparison->stop);
}

static void on_action(void *user, const thaw_policy_effect *effect)
{
    thaw_record_action(((run *)user)->actions, effect);
}

static thaw_status train_epoch(run *now, thaw_trainer *trainer)
{
    thaw_epoch_result epoch_result;
    now->before = thaw_energy_read(NULL);
    const thaw_status status = thaw_trainer_epoch(trainer, &epoch_result);
    if (status != THAW_OK)
        return status;
    if (!isfinite(epoch_result.test_loss) || !isfinite(epoch_result.loss))
        return thaw_fail(now->model->context, THAW_NOT_FINITE, "the test loss is not finite");
    return record_epoch(now, &epoch_result);
}

static thaw_status train(run *now)
{
    const thaw_comparison_options *options = &now->comparison->options;
    const thaw_fit_options fit = {
        .epochs = options->epochs,
        .batch = options->batch,
        .test = now->entry->is_trial ? now->comparison->tuning->validation : options->test,
        .schedule.warmup_epochs = now->entry->point ? now->entry->point->warmup * options->epochs : 0,
        .cache_bytes = options->cache_bytes,
        .strategy = now->entry->policy ? NULL : now->entry->strategy,
        .policy = now->entry->policy,
        .head = options->head,
        .time_phases = true,
        .on_step = on_step,
        .on_action = on_action,
        .user = now,
    };
    thaw_trainer *trainer;
    thaw_status status = thaw_trainer_create(now->model, training_of(now), &fit, &trainer);
    if (status == THAW_OK)
        status = thaw_paused_continue(now->comparison, now->entry, now->seed, trainer, now->epochs);
    while (status == THAW_OK && json_array_size(now->epochs) < (size_t)now->comparison->epochs)
        status = train_epoch(now, trainer);
    if (status == THAW_OK)
        thaw_paused_save(now->comparison, now->entry, now->seed, trainer);
    thaw_trainer_destroy(trainer);
    return status;
}

static json_t *describe(const run *now, thaw_status status)
{
    const thaw_comparison_entry *entry = now->entry;
    const bool diverged = status == THAW_NOT_FINITE;
    json_t *record = json_pack("{sssssfso*sIsisbss?sOsO*}", "strategy", entry->strategy->name, "optimizer",
                               entry->optimizer, "learning_rate", entry->learning_rate, "settings",
                               entry->point ? thaw_trial_settings_json(entry->point) : NULL, "seed",
                               (json_int_t)now->seed, "jobs", now->comparison->options.jobs, "diverged", diverged,
                               "message", diverged ? thaw_context_message(now->model->context) : NULL, "epochs",
                               now->epochs, "actions", entry->policy ? now->actions : NULL);
    return record && entry->is_trial ? thaw_trial_record(entry, record) : record;
}

void thaw_run_carry_out(thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed, size_t job,
                        thaw_run_outcome *outcome)
{
    thaw_run_model made;
    *outcome = (thaw_run_outcome){ 0 };
    run now = { .comparison = comparison,
                .entry = entry,
                .seed = seed,
                .job = job,
                .epochs = json_array(),
                .actions = json_array() };
    pthread_mutex_lock(&comparison->telling);
    now.number = ++comparison->started;
    pthread_mutex_unlock(&comparison->telling);
    thaw_status status = thaw_run_model_open(comparison, entry, seed, false, &made);
    now.model = made.model;
    if (status == THAW_OK)
        status = train(&now);
    if (made.model && (status == THAW_OK || status == THAW_NOT_FINITE)) {
        outcome->record = describe(&now, status);
        status = outcome->record ? THAW_OK : thaw_fail(made.context, THAW_OUT_OF_MEMORY, "the record of a run");
    }
    outcome->status = status;
    if (status != THAW_OK)
        snprintf(outcome->message, sizeof outcome->message, "%s", thaw_run_model_message(&made));
    json_decref(now.epochs);
    json_decref(now.actions);
    thaw_run_model_close(&made);
}
