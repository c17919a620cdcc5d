/* Performance profiles: how often each optimizer, or each strategy, is within a factor of the fastest to the target. A
   problem is what the contenders have in common: a strategy and a seed for optimizers, an optimizer and a seed for
   strategies. Problems that a contender has no run for yet are left out; one that it never solved counts as such. */
#include <math.h>
#include <stdlib.h>
#include <thaw/runtime.h>

#include "compare/comparison.h"

/* Ratios up to this count for a score, as in AlgoPerf. */
static const double MOST = 4;

typedef struct profiles {
    thaw_comparison *comparison;
    bool of_strategies, by_steps;
    size_t contenders, problems; /* problems: at most */
    size_t compared;             /* those that all contenders have a run for */
    double *times;               /* of each contender on each problem that is compared; INFINITY: never */
    double *ratios;              /* room for all problems */
} profiles;

/* The entry that was chosen for a pair; NULL if there is none. */
static const thaw_comparison_entry *chosen_entry(const thaw_comparison *comparison, size_t strategy, size_t optimizer)
{
    const size_t rates = (size_t)comparison->options.rates;
    const size_t first = (optimizer * comparison->options.strategy_count + strategy) * rates;
    for (size_t i = first; i < first + rates; i++)
        if (comparison->configurations[i].chosen)
            return &comparison->entries[i];
    /* Without one that finished, runs that diverged count. */
    return &comparison->entries[first];
}

/* False: there is no run yet. */
static bool time_of(const profiles *made, size_t contender, size_t problem, double *time)
{
    const size_t seeds = (size_t)made->comparison->options.seeds, other = problem / seeds;
    const thaw_comparison_entry *entry = made->of_strategies ? chosen_entry(made->comparison, contender, other)
                                                             : chosen_entry(made->comparison, other, contender);
    const json_t *run = entry->runs[problem % seeds];
    double seconds, steps;
    if (!run)
        return false;
    const bool reached = thaw_target_of_run(made->comparison, run, &seconds, &steps);
    *time = !reached ? (double)INFINITY : made->by_steps ? steps : seconds;
    return true;
}

static void gather(profiles *made)
{
    made->compared = 0;
    for (size_t problem = 0; problem < made->problems; problem++) {
        bool whole = true;
        for (size_t i = 0; i < made->contenders && whole; i++)
            whole = time_of(made, i, problem, &made->times[made->compared * made->contenders + i]);
        made->compared += whole;
    }
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Fills the ratios of the problems that a contender solved, in rising order; returns how many. */
static size_t list_ratios(const profiles *made, size_t contender)
{
    size_t solved = 0;
    for (size_t problem = 0; problem < made->compared; problem++) {
        const double *times = made->times + problem * made->contenders;
        double best = INFINITY;
        for (size_t i = 0; i < made->contenders; i++)
            best = fmin(best, times[i]);
        if (isfinite(times[contender]) && best > 0)
            made->ratios[solved++] = times[contender] / best;
    }
    qsort(made->ratios, solved, sizeof *made->ratios, compare);
    return solved;
}

static json_t *profile_json(const profiles *made, size_t contender)
{
    const thaw_comparison_options *options = &made->comparison->options;
    const size_t solved = list_ratios(made, contender);
    json_t *ratios = json_array();
    for (size_t i = 0; i < solved; i++)
        json_array_append_new(ratios, json_real(made->ratios[i]));
    const char *name = made->of_strategies ? options->strategies[contender]->name : options->optimizers[contender];
    return json_pack("{sssosIso}", "name", name, "score",
                     thaw_json_number(thaw_profile_score(made->ratios, solved, made->compared, MOST)), "problems",
                     (json_int_t)made->compared, "ratios", ratios);
}

static json_t *list_profiles(profiles *made)
{
    json_t *list = json_array();
    gather(made);
    for (size_t i = 0; i < made->contenders; i++)
        json_array_append_new(list, profile_json(made, i));
    return list;
}

static json_t *kind_json(profiles *made)
{
    json_t *lists[2];
    for (int by_steps = 0; by_steps < 2; by_steps++) {
        made->by_steps = by_steps;
        lists[by_steps] = list_profiles(made);
    }
    return json_pack("{soso}", "by_seconds", lists[0], "by_steps", lists[1]);
}

static json_t *profiles_of(thaw_comparison *comparison, bool of_strategies, double *times, double *ratios)
{
    const thaw_comparison_options *options = &comparison->options;
    const size_t others = of_strategies ? options->optimizer_count : options->strategy_count;
    profiles made = {
        .comparison = comparison,
        .of_strategies = of_strategies,
        .contenders = of_strategies ? options->strategy_count : options->optimizer_count,
        .problems = others * (size_t)options->seeds,
        .times = times,
        .ratios = ratios,
    };
    return kind_json(&made);
}

thaw_status thaw_profiles_json(thaw_comparison *comparison, json_t **made)
{
    const thaw_comparison_options *options = &comparison->options;
    const size_t all = options->strategy_count * options->optimizer_count * (size_t)options->seeds;
    *made = NULL;
    if (!thaw_has_target(options))
        return THAW_OK;
    double *times = thaw_allocate_array(comparison->context, all, sizeof *times);
    double *ratios = thaw_allocate_array(comparison->context, all, sizeof *ratios);
    if (times && ratios)
        *made = json_pack("{sfsoso}", "most", MOST, "optimizers", profiles_of(comparison, false, times, ratios),
                          "strategies", profiles_of(comparison, true, times, ratios));
    const bool whole = *made != NULL;
    thaw_release(comparison->context, times);
    thaw_release(comparison->context, ratios);
    return whole ? THAW_OK : THAW_OUT_OF_MEMORY;
}
