/* Takes over what the results file, and the journal beside it, hold of a comparison. */
#include <errno.h>
#include <string.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "compare/comparison.h"
#include "compare/tuning.h"
#include "io/json_file.h"
#include "report/checksum.h"
#include "report/write.h"

/* Puts a run from a file in its place, unless it is there already: the journal may repeat what the results hold. */
static bool place_run(thaw_comparison *comparison, json_t *run)
{
    const thaw_comparison_options *options = &comparison->options;
    const char *strategy = json_string_value(json_object_get(run, "strategy"));
    const char *optimizer = json_string_value(json_object_get(run, "optimizer"));
    const json_t *seed = json_object_get(run, "seed");
    const bool diverged = json_is_true(json_object_get(run, "diverged"));
    const size_t epochs = json_array_size(json_object_get(run, "epochs"));
    if (!strategy || !optimizer || !json_is_integer(seed) || (!diverged && !thaw_race_has_length(comparison, epochs)))
        return false;
    const uint64_t round = (uint64_t)json_integer_value(seed) - options->first_seed;
    for (size_t i = 0; i < comparison->entry_count && round < (uint64_t)options->seeds; i++) {
        thaw_comparison_entry *entry = &comparison->entries[i];
        if (strcmp(entry->strategy->name, strategy) != 0 || strcmp(entry->optimizer, optimizer) != 0 ||
            entry->learning_rate != thaw_json_value(run, "learning_rate") || !thaw_tuning_fits(comparison, entry, run))
            continue;
        json_t *held = entry->runs[round];
        if (held && (!json_array_size(json_object_get(held, "epochs")) ||
                     json_array_size(json_object_get(held, "epochs")) >= epochs))
            return true;
        if (!held)
            atomic_fetch_add(&comparison->done, 1);
        json_decref(held); /* a shorter run of a race */
        entry->runs[round] = json_incref(run);
        return true;
    }
    return false;
}

/* Trials, or the other runs. */
static thaw_status place_some(thaw_comparison *comparison, const char *path, const json_t *runs, size_t first,
                              bool trials)
{
    for (size_t i = first; i < json_array_size(runs); i++) {
        json_t *run = json_array_get(runs, i);
        if (thaw_trial_is(run) == trials && !(trials ? thaw_trial_place(comparison, run) : place_run(comparison, run)))
            return thaw_fail(comparison->context, THAW_BAD_FORMAT, "%s: run %zu does not belong to this comparison",
                             path, i - first);
    }
    return THAW_OK;
}

/* The trials first: they say what the other runs are. */
static thaw_status place_runs(thaw_comparison *comparison, const char *path, const json_t *runs, size_t first)
{
    thaw_status status = place_some(comparison, path, runs, first, true);
    if (status != THAW_OK)
        return status;
    if (comparison->tuning)
        thaw_tuning_choose(comparison);
    return place_some(comparison, path, runs, first, false);
}

/* Whether the file, or its head, belongs to this comparison. */
static thaw_status check_head(const thaw_comparison *comparison, const char *path, const json_t *file)
{
    static const char *const same[] = { "experiment", "strategies", "optimizers" };
    thaw_context *context = comparison->context;
    const char *schema = json_string_value(json_object_get(file, "schema"));
    if (!schema || strcmp(schema, THAW_RESULTS_SCHEMA) != 0)
        return thaw_fail(context, THAW_BAD_FORMAT,
                         "%s: is not of the schema " THAW_RESULTS_SCHEMA ", and cannot be resumed", path);
    for (size_t i = 0; i < THAW_COUNT(same); i++)
        if (!json_equal(json_object_get(file, same[i]), json_object_get(comparison->head, same[i])))
            return thaw_fail(context, THAW_BAD_FORMAT,
                             "%s: holds another comparison: its \"%s\" differ from those requested", path, same[i]);
    const double threads = thaw_json_value(json_object_get(file, "machine"), "threads");
    if (threads != thaw_context_threads(context))
        return thaw_fail(context, THAW_BAD_FORMAT,
                         "%s: its runs used %g threads; runs on %d threads would round differently", path, threads,
                         thaw_context_threads(context));
    return THAW_OK;
}

static thaw_status resume_file(thaw_comparison *comparison, const char *path)
{
    json_t *file;
    thaw_status status = thaw_json_read(comparison->context, path, &file);
    if (status == THAW_OK)
        status = thaw_results_check(comparison->context, path, file);
    if (status == THAW_OK)
        status = check_head(comparison, path, file);
    if (status == THAW_OK)
        status = place_runs(comparison, path, json_object_get(file, "trials"), 0);
    if (status == THAW_OK)
        status = place_runs(comparison, path, json_object_get(file, "runs"), 0);
    json_decref(file);
    return status;
}

static thaw_status resume_journal(thaw_comparison *comparison)
{
    const thaw_journal *journal = &comparison->journal;
    json_t *lines;
    thaw_status status = thaw_journal_read(journal, &lines);
    if (status == THAW_OK && json_array_size(lines) > 0)
        status = check_head(comparison, journal->path, json_array_get(lines, 0));
    if (status == THAW_OK)
        status = place_runs(comparison, journal->path, lines, 1);
    json_decref(lines);
    return status;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0 || errno != ENOENT;
}

/* The lock comes first: what is read here is what another run left when it ended. */
thaw_status thaw_results_resume(thaw_comparison *comparison)
{
    const char *results = comparison->options.results;
    const thaw_journal *journal = &comparison->journal;
    thaw_status status = thaw_journal_open(comparison->context, results, &comparison->journal);
    if (status != THAW_OK)
        return status;
    const bool whole = exists(results);
    if ((whole || journal->held) && !comparison->options.resume)
        return thaw_fail(comparison->context, THAW_IO_ERROR, "%s: exists already; resume it, or move it away",
                         whole ? results : journal->path);
    if (whole)
        status = resume_file(comparison, results);
    return status == THAW_OK ? resume_journal(comparison) : status;
}
