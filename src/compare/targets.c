/* The target of a comparison: when each run reached it, and how configurations rank by that. */
#include <math.h>
#include <thaw/runtime.h>

#include "compare/comparison.h"

bool thaw_has_target(const thaw_comparison_options *options)
{
    return options->target_accuracy > 0 || options->target_loss > 0;
}

/* ---------------------------------------------------------------- a run */

/* Epochs until the target was first reached, from 1; 0: never. */
static size_t epochs_to_target(const thaw_comparison_options *options, const json_t *run)
{
    const json_t *epochs = json_object_get(run, "epochs");
    for (size_t e = 0; e < json_array_size(epochs); e++) {
        const json_t *epoch = json_array_get(epochs, e);
        const bool reached = options->target_loss > 0
                                 ? thaw_json_value(epoch, "test_loss") <= options->target_loss
                                 : thaw_json_value(epoch, "test_accuracy") >= options->target_accuracy;
        if (reached)
            return e + 1;
    }
    return 0;
}

/* Of the first epochs; 0: all. */
static double seconds_of(const json_t *run, size_t count)
{
    const json_t *epochs = json_object_get(run, "epochs");
    double seconds = 0;
    for (size_t e = 0; e < json_array_size(epochs) && (count == 0 || e < count); e++)
        seconds += thaw_json_value(json_array_get(epochs, e), "seconds");
    return seconds;
}

static double steps_per_epoch(const thaw_comparison_options *options)
{
    return ceil((double)thaw_dataset_count(options->training) / (double)options->batch);
}

bool thaw_target_of_run(const thaw_comparison *comparison, const json_t *run, double *seconds, double *steps)
{
    const thaw_comparison_options *options = &comparison->options;
    const size_t epochs = epochs_to_target(options, run);
    *seconds = seconds_of(run, epochs);
    *steps = steps_per_epoch(options) * (epochs ? (double)epochs : (double)options->epochs);
    return epochs > 0;
}

/* ---------------------------------------------------------------- a configuration */

/* A run that diverged would never have got there, so it counts with at least the time of the longest run. */
static double longest(const thaw_comparison *comparison, const thaw_comparison_entry *entry)
{
    double most = 0;
    for (int i = 0; i < comparison->options.seeds; i++)
        if (entry->runs[i])
            most = fmax(most, seconds_of(entry->runs[i], 0));
    return most;
}

/* Room for a figure of each seed. */
typedef struct target_room {
    double *seconds, *steps;
    bool *reached;
} target_room;

static void describe(const thaw_comparison *comparison, const thaw_comparison_entry *entry, const target_room *room,
                     thaw_configuration *one)
{
    const double most = longest(comparison, entry);
    size_t count = 0;
    for (int i = 0; i < comparison->options.seeds; i++) {
        if (!entry->runs[i])
            continue;
        room->reached[count] =
            thaw_target_of_run(comparison, entry->runs[i], &room->seconds[count], &room->steps[count]);
        if (!room->reached[count])
            room->seconds[count] = fmax(room->seconds[count], most);
        count++;
    }
    one->to_target.seconds = thaw_reach_of(room->seconds, room->reached, count);
    one->to_target.steps = thaw_reach_of(room->steps, room->reached, count);
    for (size_t i = 0; i < count; i++)
        room->seconds[i] = room->reached[i] ? room->seconds[i] : (double)INFINITY;
    const double median = thaw_median_of(room->seconds, count);
    one->seconds_to_target = isfinite(median) ? median : (double)NAN;
}

thaw_status thaw_targets_describe(thaw_comparison *comparison)
{
    thaw_context *context = comparison->context;
    const size_t seeds = (size_t)comparison->options.seeds;
    if (!thaw_has_target(&comparison->options))
        return THAW_OK;
    const target_room room = {
        .seconds = thaw_allocate_array(context, seeds, sizeof *room.seconds),
        .steps = thaw_allocate_array(context, seeds, sizeof *room.steps),
        .reached = thaw_allocate_array(context, seeds, sizeof *room.reached),
    };
    const bool whole = room.seconds && room.steps && room.reached;
    for (size_t i = 0; i < comparison->entry_count && whole; i++)
        describe(comparison, &comparison->entries[i], &room, &comparison->configurations[i]);
    thaw_release(context, room.seconds);
    thaw_release(context, room.steps);
    thaw_release(context, room.reached);
    return whole ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* ---------------------------------------------------------------- all configurations */

int thaw_target_order(const thaw_configuration *one, const thaw_configuration *other)
{
    const thaw_reach *left = &one->to_target.steps, *right = &other->to_target.steps;
    if (left->reached != right->reached)
        return left->reached > right->reached ? -1 : 1;
    return (left->at_least > right->at_least) - (left->at_least < right->at_least);
}

static void rank(thaw_comparison *comparison, bool by_steps, thaw_reach *reaches, size_t *places, int *ranks)
{
    size_t count = 0;
    for (size_t i = 0; i < comparison->entry_count; i++) {
        const thaw_configuration *one = &comparison->configurations[i];
        const thaw_reach *reach = by_steps ? &one->to_target.steps : &one->to_target.seconds;
        if (!one->chosen || reach->count < (size_t)comparison->options.seeds)
            continue;
        places[count] = i;
        reaches[count++] = *reach;
    }
    thaw_rank_reach(reaches, count, ranks);
    for (size_t i = 0; i < count; i++) {
        thaw_to_target *target = &comparison->configurations[places[i]].to_target;
        *(by_steps ? &target->rank_by_steps : &target->rank_by_seconds) = ranks[i];
    }
}

thaw_status thaw_targets_rank(thaw_comparison *comparison)
{
    thaw_context *context = comparison->context;
    const size_t count = comparison->entry_count;
    if (!thaw_has_target(&comparison->options))
        return THAW_OK;
    thaw_reach *reaches = thaw_allocate_array(context, count, sizeof *reaches);
    size_t *places = thaw_allocate_array(context, count, sizeof *places);
    int *ranks = thaw_allocate_array(context, count, sizeof *ranks);
    const bool whole = reaches && places && ranks;
    for (int by_steps = 0; by_steps < 2 && whole; by_steps++)
        rank(comparison, by_steps, reaches, places, ranks);
    thaw_release(context, reaches);
    thaw_release(context, places);
    thaw_release(context, ranks);
    return whole ? THAW_OK : THAW_OUT_OF_MEMORY;
}
