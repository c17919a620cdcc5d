/* How it was measured: the command, the machine, the versions, the strategies' rules. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/page.h"

static void fact(thaw_report_page *page, const char *name, const char *value)
{
    if (!*value)
        return;
    thaw_text_append(&page->text, "<dt>%s</dt><dd>", name);
    thaw_markup_text(&page->text, value);
    thaw_text_append(&page->text, "</dd>");
}

static void fact_of(thaw_report_page *page, const char *name, const json_t *object, const char *key)
{
    fact(page, name, thaw_report_string(object, key));
}

static void count_of(thaw_report_page *page, const char *name, const json_t *object, const char *key)
{
    char field[THAW_FIELD_BYTES];
    fact(page, name, thaw_format_count(field, thaw_report_number(object, key)));
}

/* The number of concurrent runs. */
typedef struct range {
    int least, most;
} range;

static range find_jobs(const thaw_report_page *page)
{
    const json_t *runs = json_object_get(page->results, "runs");
    range jobs = { 0 };
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const double told = thaw_report_number(json_array_get(runs, i), "jobs");
        const int now = told >= 1 && told <= INT32_MAX ? (int)told : 1;
        jobs.least = jobs.least == 0 || now < jobs.least ? now : jobs.least;
        jobs.most = now > jobs.most ? now : jobs.most;
    }
    return jobs;
}

/* A number, or a range if the comparison was resumed with another number. */
static void describe_jobs(thaw_report_page *page)
{
    const range jobs = find_jobs(page);
    char field[THAW_FIELD_BYTES] = "";
    if (jobs.most > 0)
        snprintf(field, sizeof field, jobs.least == jobs.most ? "%d" : "%d to %d", jobs.least, jobs.most);
    fact(page, "runs at a time", field);
}

static void describe_machine(thaw_report_page *page)
{
    const json_t *machine = json_object_get(page->results, "machine");
    const json_t *versions = json_object_get(page->results, "versions");
    char field[THAW_FIELD_BYTES];
    thaw_text_append(&page->text, "<h3>Machine and versions</h3><dl class=\"facts\">");
    fact_of(page, "processor", machine, "processor");
    count_of(page, "cores", machine, "cores");
    count_of(page, "threads per run", machine, "threads");
    describe_jobs(page);
    fact(page, "memory", thaw_format_bytes(field, thaw_report_number(machine, "memory_bytes")));
    fact_of(page, "system", machine, "system");
    fact(page, "energy", thaw_report_true(machine, "energy") ? "read from RAPL" : "not exposed by this machine");
    fact_of(page, "Thaw", versions, "thaw");
    fact_of(page, "oneDNN", versions, "onednn");
    fact_of(page, "compiler", versions, "compiler");
    thaw_text_append(&page->text, "</dl>\n");
}

static void describe_experiment(thaw_report_page *page)
{
    const json_t *experiment = json_object_get(page->results, "experiment");
    char field[THAW_FIELD_BYTES];
    thaw_text_append(&page->text, "<h3>Experiment</h3><dl class=\"facts\">");
    fact_of(page, "model", experiment, "model");
    fact_of(page, "initial weights", experiment, "load");
    fact_of(page, "reinitialised", experiment, "reset");
    fact_of(page, "head", experiment, "head");
    fact_of(page, "precision", experiment, "precision");
    fact_of(page, "precision of the frozen prefix", experiment, "frozen_precision");
    fact_of(page, "data", experiment, "data");
    fact_of(page, "test data", experiment, "test_data");
    count_of(page, "epochs", experiment, "epochs");
    count_of(page, "batch", experiment, "batch");
    count_of(page, "seeds", experiment, "seeds");
    count_of(page, "first seed", experiment, "first_seed");
    fact(page, "feature cache, at most", thaw_format_bytes(field, thaw_report_number(experiment, "cache_bytes")));
    if (isfinite(thaw_report_number(experiment, "target_accuracy"))) {
        snprintf(field, sizeof field, "%g %%", 100 * thaw_report_number(experiment, "target_accuracy"));
        fact(page, "target accuracy", field);
    }
    if (isfinite(thaw_report_number(experiment, "target_loss"))) {
        snprintf(field, sizeof field, "%g", thaw_report_number(experiment, "target_loss"));
        fact(page, "target loss", field);
    }
    thaw_text_append(&page->text, "</dl>\n");
}

static void describe_strategies(thaw_report_page *page)
{
    thaw_text_append(&page->text, "<h3>Strategies</h3><dl class=\"strategies\">");
    for (size_t i = 0; i < page->strategy_count; i++) {
        const json_t *strategy = json_array_get(page->strategies, i);
        char *rules = json_dumps(json_object_get(strategy, "rules"), JSON_COMPACT | JSON_REAL_PRECISION(6));
        thaw_text_append(&page->text, "<dt>");
        thaw_markup_text(&page->text, thaw_report_string(strategy, "name"));
        thaw_text_append(&page->text, "</dt><dd>");
        thaw_markup_text(&page->text, thaw_report_string(strategy, "description"));
        if (rules) {
            thaw_text_append(&page->text, "<details><summary>rules</summary><code>");
            thaw_markup_text(&page->text, rules);
            thaw_text_append(&page->text, "</code></details>");
        }
        thaw_text_append(&page->text, "</dd>");
        free(rules);
    }
    thaw_text_append(&page->text, "</dl>\n");
}

void thaw_report_facts(thaw_report_page *page)
{
    const char *command = thaw_report_string(page->results, "command");
    thaw_text_append(&page->text, "<section id=\"facts\"><h2>How this was measured</h2>\n");
    if (*command) {
        thaw_text_append(&page->text, "<h3>The command</h3><pre tabindex=\"0\" aria-label=\"The command\"><code>");
        thaw_markup_text(&page->text, command);
        thaw_text_append(&page->text, "</code></pre>\n");
    }
    thaw_text_append(
        &page->text,
        "<p>Runs take turns, seed by seed, so that each configuration meets the machine in every state. Accuracies "
        "repeat to the bit with the same number of threads; times do not. Times are of training: they include the epoch "
        "that fills the feature cache, and no tests. %sMeans have 95\u202F%% intervals by Student's t over seeds. A rank is 1 + the number of configurations whose whole interval lies above. "
        "Differences to <i>full</i> are paired by seed.</p>\n"
        "<p>Beside this page: <a href=\"results.json\">results.json</a> (every run; bench/results.schema.json "
        "describes it), <a href=\"results.csv\">results.csv</a>, and <code>events/</code> for TensorBoard.</p>\n"
        "<div class=\"columns\"><div>",
        find_jobs(page).most > 1 ? "Runs were concurrent and shared caches and memory; each would be faster alone. "
                                 : "");
    describe_machine(page);
    thaw_text_append(&page->text, "</div><div>");
    describe_experiment(page);
    thaw_text_append(&page->text, "</div></div>\n");
    describe_strategies(page);
    thaw_text_append(&page->text, "</section>\n");
}
