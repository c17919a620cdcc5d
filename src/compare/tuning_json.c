/* Trials in the file of results. */
#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

#include "compare/tuning.h"

/* ---------------------------------------------------------------- a trial */

json_t *thaw_trial_settings_json(const thaw_trial_point *point)
{
    json_t *settings = json_object();
    for (size_t i = 0; i < point->space->count; i++)
        json_object_set_new(settings, point->space->ranges[i].name, json_real(point->values[i]));
    return settings;
}

/* What tells validation from a test. */
static json_t *record_epoch(const json_t *epoch)
{
    return json_pack("{sOsOsOsOsOsO}", "epoch", json_object_get(epoch, "epoch"), "training_loss",
                     json_object_get(epoch, "training_loss"), "validation_loss", json_object_get(epoch, "test_loss"),
                     "validation_accuracy", json_object_get(epoch, "test_accuracy"), "seconds",
                     json_object_get(epoch, "seconds"), "wall_seconds", json_object_get(epoch, "wall_seconds"));
}

json_t *thaw_trial_record(const thaw_comparison_entry *entry, json_t *run)
{
    json_t *epochs = json_array(), *epoch;
    size_t index;
    json_array_foreach(json_object_get(run, "epochs"), index, epoch) json_array_append_new(epochs, record_epoch(epoch));
    json_object_del(run, "learning_rate");
    json_object_set_new(run, "trial", json_integer((json_int_t)entry->trial));
    if (json_object_set_new(run, "epochs", epochs) == 0)
        return run;
    json_decref(run);
    return NULL;
}

bool thaw_trial_is(const json_t *record)
{
    return json_object_get(record, "trial") != NULL;
}

bool thaw_trial_place(thaw_comparison *comparison, json_t *record)
{
    const char *strategy = json_string_value(json_object_get(record, "strategy"));
    const char *optimizer = json_string_value(json_object_get(record, "optimizer"));
    const json_int_t trial = json_integer_value(json_object_get(record, "trial"));
    const bool diverged = json_is_true(json_object_get(record, "diverged"));
    const size_t epochs = json_array_size(json_object_get(record, "epochs"));
    const thaw_comparison_options *options = &comparison->options;
    if (!strategy || !optimizer || trial < 1 || trial > options->trials ||
        (!diverged && epochs != (size_t)options->epochs))
        return false;
    for (size_t i = 0; i < comparison->entry_count && comparison->tuning; i++) {
        const thaw_comparison_entry *entry = &comparison->entries[i];
        if (strcmp(entry->strategy->name, strategy) != 0 || strcmp(entry->optimizer, optimizer) != 0)
            continue;
        thaw_comparison_entry *one = &thaw_tuning_trials_of(comparison, i)[trial - 1];
        const bool same = thaw_tuning_fits(comparison, one, record);
        if (same && !one->runs[0]) {
            one->runs[0] = json_incref(record);
            atomic_fetch_add(&comparison->done, 1);
        }
        return same;
    }
    return false;
}

bool thaw_tuning_fits(const thaw_comparison *comparison, const thaw_comparison_entry *entry, const json_t *run)
{
    if (!comparison->tuning)
        return true;
    json_t *settings = entry->point ? thaw_trial_settings_json(entry->point) : NULL;
    const bool same = settings && json_equal(settings, json_object_get(run, "settings"));
    json_decref(settings);
    return same;
}

/* ---------------------------------------------------------------- figures */

static bool reaches(const thaw_comparison_options *options, const json_t *epoch)
{
    return options->target_loss > 0 ? thaw_json_value(epoch, "validation_loss") <= options->target_loss
                                    : options->target_accuracy > 0 &&
                                          thaw_json_value(epoch, "validation_accuracy") >= options->target_accuracy;
}

thaw_trial_figures thaw_trial_figures_of(const thaw_comparison *comparison, const thaw_comparison_entry *trial)
{
    const json_t *run = trial->runs[0], *epochs = json_object_get(run, "epochs");
    const json_t *last = json_array_get(epochs, json_array_size(epochs) - 1);
    thaw_trial_figures figures = { .accuracy = NAN, .loss = NAN, .done = run != NULL };
    figures.diverged = json_is_true(json_object_get(run, "diverged"));
    figures.trained = json_array_size(epochs);
    for (size_t e = 0; e < figures.trained; e++) {
        const json_t *epoch = json_array_get(epochs, e);
        figures.seconds += thaw_json_value(epoch, "wall_seconds");
        if (figures.epochs == 0 && reaches(&comparison->options, epoch))
            figures.epochs = e + 1;
    }
    if (figures.diverged || !last)
        return figures;
    figures.accuracy = thaw_json_value(last, "validation_accuracy");
    figures.loss = thaw_json_value(last, "validation_loss");
    return figures;
}

void thaw_tuning_describe(const thaw_comparison *comparison, size_t entry, thaw_configuration *configuration)
{
    const thaw_comparison_entry *trials = thaw_tuning_trials_of(comparison, entry);
    thaw_tuning made = { .chosen = comparison->entries[entry].trial,
                         .validation_accuracy = NAN,
                         .validation_loss = NAN };
    for (size_t i = 0; i < (size_t)comparison->options.trials; i++) {
        const thaw_trial_figures figures = thaw_trial_figures_of(comparison, &trials[i]);
        made.trials += figures.done;
        made.diverged += figures.diverged;
        made.epochs += figures.trained;
        made.seconds += figures.seconds;
        if (made.chosen != i + 1)
            continue;
        made.settings = trials[i].point->text;
        made.validation_accuracy = figures.accuracy;
        made.validation_loss = figures.loss;
    }
    configuration->tuning = made;
}

/* ---------------------------------------------------------------- the file */

json_t *thaw_tuning_experiment_json(const thaw_comparison *comparison)
{
    const thaw_tuning_state *tuning = comparison->tuning;
    if (!tuning)
        return NULL;
    return json_pack("{sisfsIsIsI}", "trials", comparison->options.trials, "validation_share",
                     comparison->options.validation_share, "training_samples",
                     (json_int_t)thaw_dataset_count(tuning->training), "validation_samples",
                     (json_int_t)thaw_dataset_count(tuning->validation), "seed", (json_int_t)tuning->runs.first_seed);
}

json_t *thaw_tuning_json(const thaw_comparison *comparison)
{
    const size_t strategies = comparison->options.strategy_count;
    json_t *list = json_array();
    for (size_t i = 0; i < comparison->options.optimizer_count; i++) {
        thaw_tuning all = { 0 };
        for (size_t k = i * strategies; k < (i + 1) * strategies; k++) {
            thaw_configuration one;
            thaw_tuning_describe(comparison, k, &one);
            all.trials += one.tuning.trials;
            all.diverged += one.tuning.diverged;
            all.epochs += one.tuning.epochs;
            all.seconds += one.tuning.seconds;
        }
        json_array_append_new(list, json_pack("{sssIsIsIso}", "optimizer", comparison->options.optimizers[i], "trials",
                                              (json_int_t)all.trials, "diverged", (json_int_t)all.diverged, "epochs",
                                              (json_int_t)all.epochs, "seconds", thaw_json_number(all.seconds)));
    }
    return json_pack("{so}", "optimizers", list);
}

json_t *thaw_tuning_trials_json(const thaw_comparison *comparison)
{
    const thaw_run_set *runs = &comparison->tuning->runs;
    json_t *list = json_array();
    for (size_t i = 0; i < runs->entry_count; i++)
        if (runs->entries[i].runs[0])
            json_array_append(list, runs->entries[i].runs[0]);
    return list;
}

json_t *thaw_tuning_choice_json(const thaw_comparison *comparison, size_t entry)
{
    const thaw_tuning *tuning = &comparison->configurations[entry].tuning;
    if (!tuning->chosen)
        return json_null();
    return json_pack("{sIsososo}", "trial", (json_int_t)tuning->chosen, "settings",
                     thaw_trial_settings_json(comparison->entries[entry].point), "validation_accuracy",
                     thaw_json_number(tuning->validation_accuracy), "validation_loss",
                     thaw_json_number(tuning->validation_loss));
}

thaw_status thaw_comparison_trial_at(thaw_comparison *comparison, size_t index, size_t trial, thaw_trial *made)
{
    const size_t trials = (size_t)comparison->options.trials;
    if (index >= comparison->entry_count || trial >= trials)
        return thaw_fail(comparison->context, THAW_INVALID_ARGUMENT,
                         "no trial %zu of configuration %zu, there are %zu of each of %zu", trial, index, trials,
                         comparison->entry_count);
    pthread_mutex_lock(&comparison->keeping);
    const thaw_comparison_entry *entry = &thaw_tuning_trials_of(comparison, index)[trial];
    const thaw_trial_figures figures = thaw_trial_figures_of(comparison, entry);
    *made = (thaw_trial){
        .settings = entry->point->text,
        .done = figures.done,
        .diverged = figures.diverged,
        .chosen = comparison->entries[index].trial == trial + 1,
        .accuracy = figures.accuracy,
        .loss = figures.loss,
        .epochs = figures.trained,
        .seconds = figures.seconds,
    };
    pthread_mutex_unlock(&comparison->keeping);
    return THAW_OK;
}
