#include "compare/tuning.h"

#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/text.h"
#include "data/held_out.h"
#include "data/shuffle.h"
#include "distributed/exchange.h"
#include "report/csv_field.h"

/* ---------------------------------------------------------------- settings */

thaw_status thaw_trial_point_apply(const thaw_trial_point *point, thaw_optimizer *optimizer)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < point->space->count && status == THAW_OK; i++)
        if (strcmp(point->space->ranges[i].name, THAW_SEARCH_WARMUP) != 0)
            status = thaw_optimizer_set(optimizer, point->space->ranges[i].name, point->values[i]);
    return status;
}

static thaw_status write_text(thaw_context *context, thaw_trial_point *point)
{
    thaw_text text = { .context = context };
    for (size_t i = 0; i < point->space->count; i++) {
        thaw_text_append(&text, "%s%s=", i ? "," : "", point->space->ranges[i].name);
        thaw_csv_append_digits(&text, point->values[i], 10);
    }
    return thaw_text_finish(&text, &point->text);
}

/* That its values go together: each by itself is within the optimizer's range. */
static thaw_status check_point(thaw_context *context, const char *description, size_t trial,
                               const thaw_trial_point *point)
{
    thaw_optimizer *optimizer;
    thaw_status status = thaw_optimizer_create(context, description, &optimizer);
    if (status == THAW_OK)
        status = thaw_trial_point_apply(point, optimizer);
    thaw_optimizer_destroy(optimizer);
    return status == THAW_OK ? THAW_OK
                             : thaw_fail(context, status, "optimizer %s, trial %zu (%s): %s", description, trial + 1,
                                         point->text, thaw_context_message(context));
}

static thaw_status draw_point(thaw_comparison *comparison, size_t optimizer, size_t trial, thaw_trial_point *point)
{
    thaw_context *context = comparison->context;
    const thaw_search_space *space = &comparison->tuning->spaces[optimizer];
    *point = (thaw_trial_point){ .space = space };
    point->values = thaw_allocate_array(context, space->count, sizeof *point->values);
    if (!point->values)
        return THAW_OUT_OF_MEMORY;
    thaw_search_draw(context, space, comparison->options.first_seed, trial, point->values);
    for (size_t i = 0; i < space->count; i++)
        if (strcmp(space->ranges[i].name, THAW_SEARCH_WARMUP) == 0)
            point->warmup = point->values[i];
    const thaw_status status = write_text(context, point);
    return status == THAW_OK ? check_point(context, comparison->options.optimizers[optimizer], trial, point) : status;
}

/* ---------------------------------------------------------------- trials */

static thaw_status fill_points(thaw_comparison *comparison)
{
    thaw_tuning_state *tuning = comparison->tuning;
    const thaw_comparison_options *options = &comparison->options;
    const size_t trials = (size_t)options->trials, count = options->optimizer_count;
    tuning->spaces = thaw_allocate_array(comparison->context, count, sizeof *tuning->spaces);
    tuning->points = thaw_allocate_array(comparison->context, count * trials, sizeof *tuning->points);
    if (!tuning->spaces || !tuning->points)
        return THAW_OUT_OF_MEMORY;
    thaw_status status =
        thaw_search_read(comparison->context, options->search, options->optimizers, count, tuning->spaces);
    for (size_t i = 0; i < count * trials && status == THAW_OK; i++)
        status = draw_point(comparison, i / trials, i % trials, &tuning->points[i]);
    return status;
}

/* The rate of a trial: where it is not searched, the optimizer's. */
static double rate_of(const thaw_trial_point *point, double own)
{
    return strcmp(point->space->ranges[0].name, "lr") == 0 ? point->values[0] : own;
}

static thaw_status fill_runs(thaw_comparison *comparison)
{
    thaw_run_set *runs = &comparison->tuning->runs;
    const size_t trials = (size_t)comparison->options.trials, count = comparison->entry_count * trials;
    runs->entries = thaw_allocate_array(comparison->context, count, sizeof *runs->entries);
    runs->order = thaw_allocate_array(comparison->context, count, sizeof *runs->order);
    if (!runs->entries || !runs->order)
        return THAW_OUT_OF_MEMORY;
    runs->rounds = 1;
    runs->first_seed = comparison->options.first_seed + (uint64_t)comparison->options.seeds;
    for (; runs->entry_count < count; runs->entry_count++) {
        const size_t pair = runs->entry_count / trials, trial = runs->entry_count % trials;
        const size_t optimizer = pair / comparison->options.strategy_count;
        const thaw_trial_point *point = &comparison->tuning->points[optimizer * trials + trial];
        thaw_comparison_entry *entry = &runs->entries[runs->entry_count];
        *entry = comparison->entries[pair];
        entry->point = point;
        entry->learning_rate = rate_of(point, entry->learning_rate);
        entry->trial = trial + 1;
        entry->is_trial = true;
        entry->runs = thaw_allocate_array(comparison->context, 1, sizeof *entry->runs);
        if (!entry->runs)
            return THAW_OUT_OF_MEMORY;
    }
    thaw_shuffle(comparison->context, runs->first_seed, 0, runs->order, count);
    return THAW_OK;
}

thaw_status thaw_tuning_create(thaw_comparison *comparison, thaw_tuning_state **tuning)
{
    const thaw_comparison_options *options = &comparison->options;
    *tuning = thaw_allocate_array(comparison->context, 1, sizeof **tuning);
    if (!*tuning)
        return THAW_OUT_OF_MEMORY;
    thaw_status status = fill_points(comparison);
    if (status == THAW_OK)
        status = fill_runs(comparison);
    return status == THAW_OK ? thaw_dataset_hold_out(comparison->context, options->training, options->validation_share,
                                                     options->first_seed, &(*tuning)->training, &(*tuning)->validation)
                             : status;
}

void thaw_tuning_destroy(thaw_comparison *comparison, thaw_tuning_state *tuning)
{
    if (!tuning)
        return;
    thaw_context *context = comparison->context;
    const size_t optimizers = comparison->options.optimizer_count;
    for (size_t i = 0; i < tuning->runs.entry_count; i++) {
        json_decref(tuning->runs.entries[i].runs[0]);
        thaw_release(context, tuning->runs.entries[i].runs);
    }
    for (size_t i = 0; tuning->points && i < optimizers * (size_t)comparison->options.trials; i++) {
        thaw_release(context, tuning->points[i].values);
        thaw_release(context, tuning->points[i].text);
    }
    if (tuning->spaces)
        thaw_search_release(context, tuning->spaces, optimizers);
    thaw_release(context, tuning->runs.entries);
    thaw_release(context, tuning->runs.order);
    thaw_release(context, tuning->points);
    thaw_release(context, tuning->spaces);
    thaw_dataset_destroy(tuning->training);
    thaw_dataset_destroy(tuning->validation);
    thaw_release(context, tuning);
}

/* ---------------------------------------------------------------- the choice */

thaw_comparison_entry *thaw_tuning_trials_of(const thaw_comparison *comparison, size_t entry)
{
    return &comparison->tuning->runs.entries[entry * (size_t)comparison->options.trials];
}

/* By the target if there is one, then by accuracy or, for a target of loss, by loss. Of what diverged, that which got
   further. */
static bool is_better(const thaw_comparison_options *options, const thaw_trial_figures *one,
                      const thaw_trial_figures *best)
{
    const size_t never = SIZE_MAX, first = one->epochs ? one->epochs : never;
    const size_t second = best->epochs ? best->epochs : never;
    if (one->diverged || best->diverged)
        return one->diverged && best->diverged ? one->trained > best->trained : best->diverged;
    if (first != second)
        return first < second;
    if (options->target_loss > 0 || one->accuracy == best->accuracy)
        return one->loss < best->loss;
    return one->accuracy > best->accuracy;
}

/* The number of the best trial, from 1; 0: trials are missing. */
static size_t find_best(const thaw_comparison *comparison, size_t entry)
{
    const thaw_comparison_entry *trials = thaw_tuning_trials_of(comparison, entry);
    thaw_trial_figures best = { 0 };
    size_t found = 0;
    for (size_t i = 0; i < (size_t)comparison->options.trials; i++) {
        const thaw_trial_figures one = thaw_trial_figures_of(comparison, &trials[i]);
        if (!one.done)
            return 0;
        if (i > 0 && !is_better(&comparison->options, &one, &best))
            continue;
        best = one;
        found = i + 1;
    }
    return found;
}

static void choose(thaw_comparison *comparison, size_t index, size_t trial)
{
    thaw_comparison_entry *entry = &comparison->entries[index];
    if (trial == 0 || trial > (size_t)comparison->options.trials)
        return;
    const thaw_comparison_entry *chosen = &thaw_tuning_trials_of(comparison, index)[trial - 1];
    entry->trial = trial;
    entry->point = chosen->point;
    entry->learning_rate = chosen->learning_rate;
    comparison->summarized = false;
}

void thaw_tuning_choose(thaw_comparison *comparison)
{
    for (size_t i = 0; i < comparison->entry_count; i++)
        choose(comparison, i, find_best(comparison, i));
}

thaw_status thaw_tuning_choose_together(thaw_comparison *comparison)
{
    const thaw_communicator *communicator = comparison->options.communicator;
    thaw_context *context = comparison->context;
    pthread_mutex_lock(&comparison->keeping);
    thaw_tuning_choose(comparison);
    pthread_mutex_unlock(&comparison->keeping);
    if (!communicator || communicator->ranks < 2)
        return THAW_OK;
    size_t *chosen = thaw_allocate_array(context, comparison->entry_count, sizeof *chosen);
    void *all = NULL;
    if (!chosen)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < comparison->entry_count; i++)
        chosen[i] = comparison->entries[i].trial;
    const thaw_status status =
        thaw_gather(context, communicator, chosen, comparison->entry_count * sizeof *chosen, &all);
    for (size_t i = 0; i < comparison->entry_count && status == THAW_OK; i++)
        choose(comparison, i, ((const size_t *)all)[i]);
    thaw_release(context, chosen);
    thaw_release(context, all);
    return status;
}
