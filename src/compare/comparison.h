/* The insides of a comparison. */
#ifndef THAW_COMPARE_COMPARISON_H
#define THAW_COMPARE_COMPARISON_H

#include <jansson.h>
#include <thaw/compare.h>

/* One strategy with one optimizer at one rate, and its runs. */
typedef struct thaw_comparison_entry {
    const thaw_strategy *strategy;
    const char *optimizer;
    double learning_rate;
    json_t **cells; /* by seed, from the first; NULL: not run yet */
} thaw_comparison_entry;

struct thaw_comparison {
    thaw_context *context;
    thaw_comparison_options options;
    thaw_comparison_entry *entries; /* optimizer by optimizer, strategies within, rates within */
    size_t entry_count;
    json_t *head;                       /* what stands in the file before the cells */
    thaw_configuration *configurations; /* made anew when cells were added */
    bool summarized;
    /* Of the run that goes on: */
    size_t done, resumed; /* cells; resumed: of them those from a file */
    double began;
};

/* ---- one run ---- */

/* Runs and returns what the file says of it. Errors: THAW_STOPPED, those of training but THAW_NOT_FINITE. */
thaw_status thaw_cell_run(thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                          json_t **cell);

/* Makes a model and does to it what the strategy does at the beginning of its epochs, without training. */
thaw_status thaw_cell_try(thaw_comparison *comparison, const thaw_comparison_entry *entry);

/* A context and model of a run, with optimizer and learning rate, before any rule. */
typedef struct thaw_cell_model {
    thaw_context *context;
    thaw_model *model;
} thaw_cell_model;
thaw_status thaw_cell_open(thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                           thaw_cell_model *made);
void thaw_cell_close(thaw_cell_model *made);

/* ---- the file ---- */

/* What stands before the cells: the machine, the versions, the experiment and its lists. */
thaw_status thaw_results_head(thaw_comparison *comparison, thaw_model *model, json_t **head);

/* Takes over the cells of the file, where it exists. Errors: THAW_BAD_FORMAT, THAW_IO_ERROR. */
thaw_status thaw_results_resume(thaw_comparison *comparison);

/* All of it, as the file has it; the caller releases it. */
thaw_status thaw_results_json(thaw_comparison *comparison, json_t **root);

/* Replaces a file by this. Errors: THAW_IO_ERROR, THAW_OUT_OF_MEMORY. */
thaw_status thaw_results_write_json(thaw_context *context, const char *path, const json_t *root);

thaw_status thaw_results_write(thaw_comparison *comparison);

/* Whether the file could be written, before anything is run. */
thaw_status thaw_results_check_place(thaw_comparison *comparison);

/* The order of runs: the entry and the round of the step-th. */
static inline size_t thaw_comparison_entry_of(const thaw_comparison *comparison, size_t step, size_t *round)
{
    const size_t place = step % comparison->entry_count;
    *round = step / comparison->entry_count;
    return *round % 2 ? comparison->entry_count - 1 - place : place;
}

/* ---- the summaries ---- */

/* Fills comparison->configurations. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_summarize(thaw_comparison *comparison);

/* The summary over seeds of a figure after an epoch (from 0), for the file. */
thaw_status thaw_summarize_epoch(thaw_comparison *comparison, const thaw_comparison_entry *entry, size_t epoch,
                                 const char *key, thaw_mean *mean);

/* A number; null where it is not finite. */
json_t *thaw_json_number(double value);

/* A figure of JSON, NAN where it is missing. */
double thaw_json_value(const json_t *object, const char *key);

#endif
