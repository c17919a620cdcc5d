/* Summaries of each configuration over its runs. */
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <thaw/runtime.h>

#include "compare/tuning.h"

double thaw_json_value(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

static bool diverged(const json_t *run)
{
    return json_is_true(json_object_get(run, "diverged"));
}

/* ---------------------------------------------------------------- figures of several runs */

/* Figures of the finished runs, one after the other, with room for all epochs of all seeds. */
typedef struct figures {
    double *values;
    size_t count;
} figures;

static const json_t *epoch_of(const json_t *run, size_t epoch)
{
    return json_array_get(json_object_get(run, "epochs"), epoch);
}

/* `group` is an object within the epoch's, such as "times", or NULL. */
static double figure_of(const json_t *run, size_t epoch, const char *group, const char *key)
{
    const json_t *object = epoch_of(run, epoch);
    return thaw_json_value(group ? json_object_get(object, group) : object, key);
}

/* With all epochs: a race may have stopped it before. */
static bool finished(const thaw_comparison *comparison, const json_t *run)
{
    return run && !diverged(run) &&
           json_array_size(json_object_get(run, "epochs")) == (size_t)comparison->options.epochs;
}

/* The figure after one epoch, over seeds. */
static void gather(const thaw_comparison *comparison, const thaw_comparison_entry *entry, size_t epoch, const char *key,
                   figures *found)
{
    found->count = 0;
    for (int i = 0; i < comparison->options.seeds; i++)
        if (finished(comparison, entry->runs[i]))
            found->values[found->count++] = figure_of(entry->runs[i], epoch, NULL, key);
}

static void gather_all(const thaw_comparison *comparison, const thaw_comparison_entry *entry, const char *group,
                       const char *key, figures *found)
{
    found->count = 0;
    for (int i = 0; i < comparison->options.seeds; i++)
        for (int e = 0; finished(comparison, entry->runs[i]) && e < comparison->options.epochs; e++)
            found->values[found->count++] = figure_of(entry->runs[i], (size_t)e, group, key);
}

static double median(const thaw_comparison *comparison, const thaw_comparison_entry *entry, const char *group,
                     const char *key, figures *room)
{
    gather_all(comparison, entry, group, key, room);
    for (size_t i = 0; i < room->count; i++)
        if (isnan(room->values[i]))
            return NAN;
    return thaw_median_of(room->values, room->count);
}

static size_t most(const thaw_comparison *comparison, const thaw_comparison_entry *entry, const char *group,
                   const char *key, figures *room)
{
    double largest = 0;
    gather_all(comparison, entry, group, key, room);
    for (size_t i = 0; i < room->count; i++)
        largest = fmax(largest, room->values[i]);
    return largest < (double)SIZE_MAX ? (size_t)largest : SIZE_MAX;
}

static double mean_of_all(const thaw_comparison *comparison, const thaw_comparison_entry *entry, const char *key,
                          figures *room)
{
    gather_all(comparison, entry, NULL, key, room);
    return thaw_mean_of(room->values, room->count).mean;
}

static thaw_mean total_seconds(const thaw_comparison *comparison, const thaw_comparison_entry *entry, figures *room)
{
    room->count = 0;
    for (int i = 0; i < comparison->options.seeds; i++) {
        if (!finished(comparison, entry->runs[i]))
            continue;
        double sum = 0;
        for (size_t e = 0; e < (size_t)comparison->options.epochs; e++)
            sum += figure_of(entry->runs[i], e, NULL, "seconds");
        room->values[room->count++] = sum;
    }
    return thaw_mean_of(room->values, room->count);
}

thaw_status thaw_summarize_epoch(thaw_comparison *comparison, const thaw_comparison_entry *entry, size_t epoch,
                                 const char *key, thaw_mean *mean)
{
    figures room = { .values = thaw_allocate_array(comparison->context, (size_t)comparison->options.seeds,
                                                   sizeof *room.values) };
    if (!room.values)
        return THAW_OUT_OF_MEMORY;
    gather(comparison, entry, epoch, key, &room);
    *mean = thaw_mean_of(room.values, room.count);
    thaw_release(comparison->context, room.values);
    return THAW_OK;
}

/* ---------------------------------------------------------------- one configuration */

static thaw_configuration describe(const thaw_comparison *comparison, const thaw_comparison_entry *entry, figures *room)
{
    const size_t last = (size_t)comparison->options.epochs - 1;
    thaw_configuration made = {
        .strategy = entry->strategy->name,
        .optimizer = entry->optimizer,
        .learning_rate = comparison->tuning && !entry->trial ? (double)NAN : entry->learning_rate,
        .seconds = total_seconds(comparison, entry, room),
        .seconds_per_epoch = median(comparison, entry, NULL, "seconds", room),
        .samples_per_second = median(comparison, entry, NULL, "samples_per_second", room),
        .phases = { .data = median(comparison, entry, "times", "data", room),
                    .forward = median(comparison, entry, "times", "forward", room),
                    .backward = median(comparison, entry, "times", "backward", room),
                    .update = median(comparison, entry, "times", "update", room) },
        .other_seconds = median(comparison, entry, "times", "other", room),
        .joules_per_epoch = median(comparison, entry, NULL, "joules", room),
        .parameters_trained = most(comparison, entry, NULL, "parameters_trained", room),
        .bytes = { .weights = most(comparison, entry, "bytes", "weights", room),
                   .gradients = most(comparison, entry, "bytes", "gradients", room),
                   .optimizer_state = most(comparison, entry, "bytes", "optimizer_state", room),
                   .activations = most(comparison, entry, "bytes", "activations", room),
                   .cache = most(comparison, entry, "bytes", "cache", room) },
        .flops_per_step = mean_of_all(comparison, entry, "flops_per_step", room),
        .seconds_to_target = NAN,
        .race = entry->end,
        .against_full = thaw_mean_of(NULL, 0),
    };
    gather(comparison, entry, last, "test_accuracy", room);
    made.accuracy = thaw_mean_of(room->values, room->count);
    gather(comparison, entry, last, "test_loss", room);
    made.loss = thaw_mean_of(room->values, room->count);
    for (int i = 0; i < comparison->options.seeds; i++) {
        made.runs += entry->runs[i] != NULL;
        made.diverged += entry->runs[i] && diverged(entry->runs[i]);
    }
    return made;
}

/* ---------------------------------------------------------------- all configurations */

static bool is_better(const thaw_comparison *comparison, const thaw_configuration *one, const thaw_configuration *best)
{
    if (one->race.stopped != best->race.stopped)
        return best->race.stopped;
    const int order = thaw_has_target(&comparison->options) ? thaw_target_order(one, best) : 0;
    if (order != 0)
        return order < 0;
    return one->diverged == best->diverged ? one->accuracy.mean > best->accuracy.mean : one->diverged < best->diverged;
}

/* Chooses among the rates of a pair, which are adjacent: with a target, whichever reaches it best; else the fewest
   diverged runs first, then the best mean. */
static void choose_rates(thaw_comparison *comparison)
{
    const size_t rates = (size_t)comparison->options.rates;
    for (size_t first = 0; first < comparison->entry_count; first += rates) {
        thaw_configuration *best = NULL;
        for (size_t i = first; i < first + rates; i++) {
            thaw_configuration *one = &comparison->configurations[i];
            if (one->accuracy.count > 0 && (!best || is_better(comparison, one, best)))
                best = one;
        }
        if (best)
            best->chosen = true;
    }
}

static void rank(thaw_comparison *comparison, size_t *places, thaw_mean *means, int *ranks)
{
    size_t count = 0;
    for (size_t i = 0; i < comparison->entry_count; i++) {
        const thaw_configuration *one = &comparison->configurations[i];
        if (!one->chosen || one->accuracy.count < (size_t)comparison->options.seeds)
            continue;
        places[count] = i;
        means[count++] = one->accuracy;
    }
    thaw_rank(means, count, ranks);
    for (size_t i = 0; i < count; i++)
        comparison->configurations[places[i]].rank = ranks[i];
}

static void find_fronts(thaw_comparison *comparison, double *gains, double *costs, bool *front)
{
    for (int memory = 0; memory < 2; memory++) {
        for (size_t i = 0; i < comparison->entry_count; i++) {
            const thaw_configuration *one = &comparison->configurations[i];
            const thaw_run_bytes *bytes = &one->bytes;
            gains[i] = one->chosen ? one->accuracy.mean : NAN;
            costs[i] = memory ? (double)(bytes->weights + bytes->gradients + bytes->optimizer_state +
                                         bytes->activations + bytes->cache)
                              : one->seconds_per_epoch;
        }
        thaw_pareto_front(gains, costs, comparison->entry_count, front);
        for (size_t i = 0; i < comparison->entry_count; i++)
            *(memory ? &comparison->configurations[i].pareto_memory : &comparison->configurations[i].pareto_time) =
                front[i];
    }
}

/* Pairs the seeds that both have finished. */
static thaw_mean pair(const thaw_comparison *comparison, const thaw_comparison_entry *one,
                      const thaw_comparison_entry *full, double *left, double *right)
{
    const size_t last = (size_t)comparison->options.epochs - 1;
    size_t count = 0;
    for (int i = 0; i < comparison->options.seeds; i++) {
        if (!finished(comparison, one->runs[i]) || !finished(comparison, full->runs[i]))
            continue;
        left[count] = figure_of(one->runs[i], last, NULL, "test_accuracy");
        right[count++] = figure_of(full->runs[i], last, NULL, "test_accuracy");
    }
    return thaw_paired_difference(left, right, count);
}

static void compare_with_full(thaw_comparison *comparison, double *left, double *right)
{
    for (size_t i = 0; i < comparison->entry_count; i++)
        for (size_t k = 0; k < comparison->entry_count; k++) {
            thaw_configuration *one = &comparison->configurations[i];
            const thaw_configuration *full = &comparison->configurations[k];
            if (i != k && one->chosen && full->chosen && strcmp(full->strategy, "full") == 0 &&
                strcmp(one->optimizer, full->optimizer) == 0)
                one->against_full = pair(comparison, &comparison->entries[i], &comparison->entries[k], left, right);
        }
}

thaw_status thaw_summarize(thaw_comparison *comparison)
{
    thaw_context *context = comparison->context;
    const size_t count = comparison->entry_count, runs = (size_t)comparison->options.seeds;
    const size_t room = count + runs * (size_t)comparison->options.epochs;
    double *left = thaw_allocate_array(context, room, sizeof *left);
    double *right = thaw_allocate_array(context, room, sizeof *right);
    size_t *places = thaw_allocate_array(context, count, sizeof *places);
    thaw_mean *means = thaw_allocate_array(context, count, sizeof *means);
    int *ranks = thaw_allocate_array(context, count, sizeof *ranks);
    bool *front = thaw_allocate_array(context, count, sizeof *front);
    bool whole = left && right && places && means && ranks && front;
    if (whole) {
        figures gathered = { .values = left };
        for (size_t i = 0; i < count; i++) {
            comparison->configurations[i] = describe(comparison, &comparison->entries[i], &gathered);
            if (comparison->tuning)
                thaw_tuning_describe(comparison, i, &comparison->configurations[i]);
        }
        whole = thaw_targets_describe(comparison) == THAW_OK;
        choose_rates(comparison);
        rank(comparison, places, means, ranks);
        find_fronts(comparison, left, right, front);
        compare_with_full(comparison, left, right);
        whole = whole && thaw_targets_rank(comparison) == THAW_OK;
        comparison->summarized = whole;
    }
    void *const all[] = { left, right, places, means, ranks, front };
    for (size_t i = 0; i < THAW_COUNT(all); i++)
        thaw_release(context, all[i]);
    return whole ? THAW_OK : THAW_OUT_OF_MEMORY;
}
