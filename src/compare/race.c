/* A race: rungs of more and more epochs and seeds, after each of which what is beaten stops. What was stopped follows
   from the runs alone, so that a resumed race judges its rungs again, and goes on as it would have. */
#include "compare/race_rule.h"

#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

#include "compare/paused.h"

typedef struct race {
    thaw_comparison *comparison;
    thaw_race_rung *rungs;
    size_t rung_count;
    thaw_race_loss *losses;                /* of each configuration */
    double *figures, *means, *differences; /* room for a rung */
} race;

thaw_status thaw_race_check(thaw_context *context, const thaw_comparison_options *options)
{
    const bool spreads = options->communicator && options->communicator->ranks > 1;
    const char *reason = !options->race             ? NULL
                         : thaw_has_target(options) ? "is by accuracy, so there must be no target"
                         : options->seeds < 2       ? "needs at least 2 seeds"
                         : spreads                  ? "must have one rank"
                                                    : NULL;
    return reason ? thaw_fail(context, THAW_INVALID_ARGUMENT, "comparison: a race %s", reason) : THAW_OK;
}

/* ---------------------------------------------------------------- rungs */

bool thaw_race_has_length(const thaw_comparison *comparison, size_t epochs)
{
    const size_t all = (size_t)comparison->options.epochs;
    bool found = epochs == all;
    for (size_t part = 2; comparison->options.race && part <= 8; part *= 2)
        found = found || epochs == (all - 1) / part + 1;
    return found;
}

static bool is_wanted(const thaw_comparison *comparison, const thaw_comparison_entry *entry, size_t round)
{
    const json_t *run = entry->runs[round];
    const bool whole = run && (json_is_true(json_object_get(run, "diverged")) ||
                               json_array_size(json_object_get(run, "epochs")) >= (size_t)comparison->epochs);
    return !entry->end.stopped && round < (size_t)comparison->seeds && !whole;
}

static size_t count_wanted(const thaw_comparison *comparison)
{
    size_t count = 0;
    for (size_t i = 0; i < comparison->entry_count; i++)
        for (int s = 0; s < comparison->options.seeds; s++)
            count += is_wanted(comparison, &comparison->entries[i], (size_t)s);
    return count;
}

static size_t count_racing(const thaw_comparison *comparison)
{
    size_t count = 0;
    for (size_t i = 0; i < comparison->entry_count; i++)
        count += !comparison->entries[i].end.stopped;
    return count;
}

/* The test accuracy after the rung's epochs; NAN if the run diverged before. */
static double figure_of(const json_t *run, int epochs)
{
    const json_t *list = json_object_get(run, "epochs");
    return thaw_json_value(json_array_get(list, (size_t)epochs - 1), "test_accuracy");
}

static void judge(race *all, const thaw_race_rung *rung)
{
    thaw_comparison *comparison = all->comparison;
    const size_t seeds = (size_t)rung->seeds;
    for (size_t i = 0; i < comparison->entry_count; i++)
        for (size_t s = 0; s < seeds; s++)
            all->figures[i * seeds + s] = figure_of(comparison->entries[i].runs[s], rung->epochs);
    thaw_race_judge(all->figures, comparison->entry_count, seeds, all->rung_count - 1, all->losses, all->means,
                    all->differences);
    for (size_t i = 0; i < comparison->entry_count; i++) {
        const thaw_race_loss *loss = &all->losses[i];
        if (!loss->stopped || comparison->entries[i].end.stopped)
            continue;
        thaw_paused_drop(comparison, &comparison->entries[i]);
        comparison->entries[i].end = (thaw_race_end){ .stopped = true,
                                                      .diverged = loss->diverged,
                                                      .epochs = rung->epochs,
                                                      .seeds = rung->seeds,
                                                      .leader = loss->leader,
                                                      .difference = loss->difference };
    }
}

/* The epochs that a rung trains: those of the new seeds, and of the others what is more than before, or all if they
   could not be saved. */
static double epochs_of(const race *all, size_t index, size_t racing)
{
    const thaw_race_rung none = { 0 }, *rung = &all->rungs[index], *before = index ? rung - 1 : &none;
    const bool longer = rung->epochs > before->epochs, saved = all->comparison->options.results != NULL;
    const int old = !longer ? 0 : saved ? rung->epochs - before->epochs : rung->epochs;
    return (double)racing * ((double)(rung->seeds - before->seeds) * rung->epochs + (double)before->seeds * old);
}

static thaw_status run_rung(race *all, size_t index)
{
    thaw_comparison *comparison = all->comparison;
    const thaw_race_rung *rung = &all->rungs[index];
    const bool last = index + 1 == all->rung_count;
    const size_t racing = count_racing(comparison);
    comparison->epochs = rung->epochs;
    comparison->seeds = rung->seeds;
    comparison->planned = comparison->done + count_wanted(comparison);
    const thaw_run_set runs = thaw_comparison_final_runs(comparison);
    const thaw_status status = thaw_comparison_run_wanted(comparison, &runs, is_wanted);
    if (status != THAW_OK)
        return status;
    pthread_mutex_lock(&comparison->keeping);
    if (!last)
        judge(all, rung);
    json_array_append_new(comparison->rungs,
                          json_pack("{sisisIsIsf}", "epochs", rung->epochs, "seeds", rung->seeds, "configurations",
                                    (json_int_t)racing, "stopped", (json_int_t)(racing - count_racing(comparison)),
                                    "epochs_trained", epochs_of(all, index, racing)));
    comparison->summarized = false;
    pthread_mutex_unlock(&comparison->keeping);
    return THAW_OK;
}

thaw_status thaw_comparison_race(thaw_comparison *comparison)
{
    thaw_context *context = comparison->context;
    const size_t count = comparison->entry_count, seeds = (size_t)comparison->options.seeds;
    const size_t most = thaw_race_most_rungs(comparison->options.seeds);
    race all = {
        .comparison = comparison,
        .rungs = thaw_allocate_array(context, most, sizeof *all.rungs),
        .losses = thaw_allocate_array(context, count, sizeof *all.losses),
        .figures = thaw_allocate_array(context, count * seeds, sizeof *all.figures),
        .means = thaw_allocate_array(context, count, sizeof *all.means),
        .differences = thaw_allocate_array(context, seeds, sizeof *all.differences),
    };
    thaw_status status =
        all.rungs && all.losses && all.figures && all.means && all.differences ? THAW_OK : THAW_OUT_OF_MEMORY;
    json_decref(comparison->rungs);
    comparison->rungs = json_array();
    for (size_t i = 0; i < count; i++)
        comparison->entries[i].end = (thaw_race_end){ 0 };
    if (status == THAW_OK)
        all.rung_count = thaw_race_list_rungs(comparison->options.epochs, comparison->options.seeds, all.rungs);
    thaw_paused_begin(comparison);
    for (size_t i = 0; i < all.rung_count && status == THAW_OK; i++)
        status = run_rung(&all, i);
    comparison->race_is_over = status == THAW_OK;
    if (comparison->race_is_over)
        thaw_paused_end(comparison);
    void *const rooms[] = { all.rungs, all.losses, all.figures, all.means, all.differences };
    for (size_t i = 0; i < THAW_COUNT(rooms); i++)
        thaw_release(context, rooms[i]);
    return status;
}

/* ---------------------------------------------------------------- the file */

json_t *thaw_race_json(const thaw_comparison *comparison)
{
    if (!comparison->options.race)
        return NULL;
    const double all = (double)comparison->entry_count * comparison->options.seeds * comparison->options.epochs;
    return json_pack("{sfsO*}", "epochs_without", all, "rungs", comparison->rungs);
}

json_t *thaw_race_end_json(const thaw_comparison *comparison, const thaw_race_end *end)
{
    const thaw_comparison_entry *leader = &comparison->entries[end->leader];
    json_t *made = json_pack("{sssisi}", "reason", end->diverged ? "diverged" : "beaten", "epochs", end->epochs,
                             "seeds", end->seeds);
    if (end->diverged)
        return made;
    json_object_set_new(made, "leader",
                        json_pack("{sssssf}", "strategy", leader->strategy->name, "optimizer", leader->optimizer,
                                  "learning_rate", leader->learning_rate));
    json_object_set_new(made, "difference", thaw_mean_json(end->difference));
    return made;
}
