/* The findings in words. It names no winner that the seeds do not support. */
#include <math.h>

#include "report/page.h"

static size_t seeds_of(const thaw_report_page *page)
{
    const double seeds = thaw_report_number(json_object_get(page->results, "experiment"), "seeds");
    return seeds >= 1 && seeds < 1e9 ? (size_t)seeds : 1;
}

/* ---------------------------------------------------------------- the ranking */

static bool is_first(const thaw_report_point *point)
{
    return point->rank == 1;
}

static void say_interval(thaw_report_page *page, const thaw_report_point *point)
{
    char mean[THAW_FIELD_BYTES], low[THAW_FIELD_BYTES], high[THAW_FIELD_BYTES];
    thaw_text_append(&page->text, "%s\u202F%%", thaw_format_percent(mean, point->accuracy));
    if (isfinite(point->low))
        thaw_text_append(&page->text, ", 95\u202F%% interval %s to %s", thaw_format_percent(low, point->low),
                         thaw_format_percent(high, point->high));
}

static void say_tie(thaw_report_page *page, size_t first)
{
    thaw_text_append(
        &page->text,
        "<p class=\"lead\">%zu configurations <b>share first place</b>: their intervals overlap, and these seeds do "
        "not tell them apart: ",
        first);
    thaw_report_name_all(page, is_first);
    thaw_text_append(&page->text, ". The highest mean is that of ");
    thaw_report_name(page, &page->points[0]);
    thaw_text_append(&page->text, ", ");
    say_interval(page, &page->points[0]);
    thaw_text_append(&page->text, "; it need not be the best.</p>\n");
}

static void say_ranking(thaw_report_page *page)
{
    size_t ranked = 0, first = 0;
    for (size_t i = 0; i < page->point_count; i++) {
        ranked += page->points[i].rank > 0;
        first += page->points[i].rank == 1;
    }
    if (ranked == 0) {
        thaw_text_append(&page->text, "<p class=\"lead\">No configuration has finished with every seed: there is "
                                      "nothing to rank yet.</p>\n");
    } else if (seeds_of(page) < 2) {
        thaw_text_append(&page->text, "<p class=\"lead\">One seed supports no ranking: it cannot show how much of a "
                                      "difference is chance.</p>\n");
    } else if (ranked == 1) {
        thaw_text_append(&page->text, "<p class=\"lead\">Only ");
        thaw_report_name(page, &page->points[0]);
        thaw_text_append(&page->text, " has finished with every seed (");
        say_interval(page, &page->points[0]);
        thaw_text_append(&page->text, "): there is nothing to compare it with.</p>\n");
    } else if (first == 1) {
        thaw_text_append(&page->text, "<p class=\"lead\">");
        thaw_report_name(page, &page->points[0]);
        thaw_text_append(&page->text, " is <b>ahead</b> (");
        say_interval(page, &page->points[0]);
        thaw_text_append(&page->text, "): its whole interval lies above those of all %zu others.</p>\n", ranked - 1);
    } else {
        say_tie(page, first);
    }
}

/* ---------------------------------------------------------------- against full */

static double bound(const thaw_report_point *point, const char *key)
{
    return thaw_report_number(json_object_get(point->configuration, "against_full"), key);
}

static bool is_better(const thaw_report_point *point)
{
    return bound(point, "low") > 0;
}

static bool is_worse(const thaw_report_point *point)
{
    return bound(point, "high") < 0;
}

static bool is_open(const thaw_report_point *point)
{
    return bound(point, "low") <= 0 && bound(point, "high") >= 0;
}

static void say_differences(thaw_report_page *page)
{
    const struct {
        thaw_report_selector *selects;
        const char *words;
    } groups[] = {
        { is_better, "More accurate than full fine-tuning" },
        { is_open, "Not told apart from it" },
        { is_worse, "Less accurate than it" },
    };
    if (thaw_report_count(page, is_better) + thaw_report_count(page, is_open) + thaw_report_count(page, is_worse) == 0)
        return;
    thaw_text_append(&page->text, "<dl class=\"verdict\">");
    for (size_t i = 0; i < THAW_COUNT(groups); i++) {
        thaw_text_append(&page->text, "<dt>%s</dt><dd>", groups[i].words);
        thaw_report_name_all(page, groups[i].selects);
        thaw_text_append(&page->text, "</dd>");
    }
    thaw_text_append(&page->text, "</dl>\n<p class=\"note\">By the 95\u202F%% interval of the difference to the "
                                  "strategy <i>full</i> with the same optimizer, paired by seed.</p>\n");
}

/* ---------------------------------------------------------------- notes */

static bool is_quick(const thaw_report_point *point)
{
    return thaw_report_true(point->configuration, "pareto_time");
}

static bool is_small(const thaw_report_point *point)
{
    return thaw_report_true(point->configuration, "pareto_memory");
}

static void say_fronts(thaw_report_page *page)
{
    if (thaw_report_count(page, is_quick) + thaw_report_count(page, is_small) == 0)
        return;
    thaw_text_append(&page->text, "<p>By mean accuracy, nothing is at once as accurate and as fast an epoch as ");
    thaw_report_name_all(page, is_quick);
    thaw_text_append(&page->text, "; nothing as accurate and as small as ");
    thaw_report_name_all(page, is_small);
    thaw_text_append(&page->text, ".</p>\n");
}

static size_t count_runs(const thaw_report_page *page)
{
    size_t rates = 0;
    for (size_t i = 0; i < page->optimizer_count; i++)
        rates += json_array_size(json_object_get(json_array_get(page->optimizers, i), "learning_rates"));
    return rates * page->strategy_count * seeds_of(page);
}

/* Over all configurations; the list of runs may be incomplete. */
static size_t sum_of(const thaw_report_page *page, const char *key)
{
    const json_t *configurations = json_object_get(page->results, "configurations");
    double sum = 0;
    for (size_t i = 0; i < json_array_size(configurations); i++)
        sum += thaw_report_number(json_array_get(configurations, i), key);
    return sum > 0 && sum < 1e15 ? (size_t)sum : 0;
}

static void say_state(thaw_report_page *page)
{
    const size_t done = sum_of(page, "runs"), diverged = sum_of(page, "diverged");
    if (!thaw_report_true(page->results, "complete"))
        thaw_text_append(&page->text,
                         "<p class=\"warning\">This comparison is not complete: %zu of %zu runs are done, and the "
                         "page describes those. The same command with <code>--resume</code> continues it.</p>\n",
                         done, count_runs(page));
    if (diverged)
        thaw_text_append(&page->text,
                         "<p class=\"warning\">%zu of %zu runs <b>diverged</b>: their loss was not finite. Means are "
                         "over the others; a configuration that lost a seed has no rank.</p>\n",
                         diverged, done);
}

static const json_t *rates_of(const thaw_report_page *page, size_t optimizer)
{
    return json_object_get(json_array_get(page->optimizers, optimizer), "learning_rates");
}

/* Whether the chosen rate is the lowest or the highest of several. */
static bool is_at_edge(const thaw_report_page *page, const thaw_report_point *point)
{
    const json_t *rates = rates_of(page, point->optimizer);
    const double chosen = thaw_report_number(point->configuration, "learning_rate");
    const size_t last = json_array_size(rates) - 1;
    return json_array_size(rates) > 1 && (json_number_value(json_array_get(rates, 0)) == chosen ||
                                          json_number_value(json_array_get(rates, last)) == chosen);
}

static void say_rates(thaw_report_page *page)
{
    bool several = false;
    size_t at_edge = 0;
    for (size_t i = 0; i < page->optimizer_count; i++)
        several = several || json_array_size(rates_of(page, i)) > 1;
    for (size_t i = 0; i < page->point_count; i++)
        at_edge += is_at_edge(page, &page->points[i]);
    if (several)
        thaw_text_append(&page->text, "Of several learning rates, the one with the highest mean test accuracy is "
                                      "shown, which flatters all of them a little. ");
    if (at_edge)
        thaw_text_append(&page->text,
                         "For %zu of %zu pairs of strategy and optimizer, it is the lowest or the highest rate tried: "
                         "a better one may lie beyond. ",
                         at_edge, page->point_count);
}

static void say_caution(thaw_report_page *page)
{
    thaw_text_append(&page->text, "<p class=\"note\">");
    say_rates(page);
    thaw_text_append(&page->text,
                     "Each interval misses the true value one time in twenty: among many, some do. Seeds vary initial "
                     "values, order and dropout; the data stays the same.</p>\n");
}

void thaw_report_verdict(thaw_report_page *page)
{
    const json_t *experiment = json_object_get(page->results, "experiment");
    char training[THAW_FIELD_BYTES], test[THAW_FIELD_BYTES];
    thaw_text_append(&page->text, "<section id=\"findings\"><h2>What the runs say</h2>\n");
    say_state(page);
    thaw_report_target_verdict(page);
    say_ranking(page);
    say_differences(page);
    say_fronts(page);
    thaw_text_append(
        &page->text,
        "<ul class=\"figures\"><li><b>%zu</b> strateg%s</li><li><b>%zu</b> optimizer%s</li><li><b>%zu</b> seed%s</li>"
        "<li><b>%zu</b> epoch%s</li><li><b>%zu</b> runs</li><li><b>%s</b> samples to train on</li><li><b>%s</b> to "
        "test with</li></ul>\n",
        page->strategy_count, page->strategy_count == 1 ? "y" : "ies", page->optimizer_count,
        page->optimizer_count == 1 ? "" : "s", seeds_of(page), seeds_of(page) == 1 ? "" : "s", thaw_report_epochs(page),
        thaw_report_epochs(page) == 1 ? "" : "s", sum_of(page, "runs"),
        thaw_format_count(training, thaw_report_number(experiment, "training_samples")),
        thaw_format_count(test, thaw_report_number(experiment, "test_samples")));
    say_caution(page);
    thaw_text_append(&page->text, "</section>\n");
}
