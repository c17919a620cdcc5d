/* The ranking as a table, and all configurations as another table. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"

typedef struct column {
    const char *key, *title, *explanation;
    bool text;
} column;

static const column columns[] = {
    { "rank", "rank", "1 + the number of configurations whose interval is wholly above; equal ranks are ties", false },
    { "strategy", "strategy", "", true },
    { "optimizer", "optimizer", "", true },
    { "accuracy", "accuracy, %", "mean test accuracy after the last epoch, with its 95 % interval over seeds", false },
    { "learning_rate", "rate", "the learning rate", false },
    { "loss", "loss", "mean test loss after the last epoch", false },
    { "against_full", "against full", "difference of accuracies in points, paired by seed, with its 95 % interval",
      false },
    { "seconds_per_epoch", "an epoch",
      "median time of training, with the epoch that fills the feature cache and without tests", false },
    { "samples_per_second", "samples/s", "median", false },
    { "seconds_to_target", "to target",
      "median training time until the target was reached, with epochs that fill the feature cache and without tests; "
      "runs that never reached it count as longer than all others",
      false },
    { "parameters_trained", "trained", "parameters that train, the most in any epoch", false },
    { "bytes", "memory", "weights, gradients, optimizer state, activations and cache", false },
    { "flops_per_step", "a step", "floating-point operations, mean over epochs", false },
    { "joules_per_epoch", "energy", "joules per epoch of all processor packages, median", false },
};

typedef struct table {
    thaw_report_page *page;
    thaw_axis axis;                  /* of accuracies */
    bool shown[THAW_COUNT(columns)]; /* a column that no configuration has a value for is left out */
} table;

static table table_of(thaw_report_page *page)
{
    table made = { .page = page, .axis = thaw_chart_accuracies(page, 4, 86, 4) };
    const json_t *configurations = json_object_get(page->results, "configurations");
    for (size_t c = 0; c < THAW_COUNT(columns); c++)
        for (size_t i = 0; i < json_array_size(configurations) && !made.shown[c]; i++) {
            const json_t *value = json_object_get(json_array_get(configurations, i), columns[c].key);
            made.shown[c] = value && !json_is_null(value);
        }
    return made;
}

static bool is_shown(const table *of, const char *key)
{
    size_t i = 0;
    while (strcmp(columns[i].key, key) != 0)
        i++;
    return of->shown[i];
}

/* A field with a number. The displayed text may differ from the value that it sorts by. */
static void number_field(const table *of, const char *key, double value, const char *shown)
{
    thaw_report_page *page = of->page;
    if (!is_shown(of, key))
        return;
    thaw_text_append(&page->text, "<td class=\"number\" data-c=\"%s\" data-v=\"", key);
    thaw_markup_exact(&page->text, value);
    thaw_text_append(&page->text, "\">%s</td>", shown);
}

static void text_field(const table *of, const char *key, const char *raw, const char *shown)
{
    thaw_report_page *page = of->page;
    thaw_text_append(&page->text, "<td data-c=\"%s\" data-v=\"", key);
    thaw_markup_text(&page->text, raw);
    thaw_text_append(&page->text, "\" title=\"");
    thaw_markup_text(&page->text, raw);
    thaw_text_append(&page->text, "\">");
    thaw_markup_label(&page->text, shown, 30);
    thaw_text_append(&page->text, "</td>");
}

static const char *short_name(const thaw_report_page *page, const char *optimizer)
{
    for (size_t i = 0; i < page->optimizer_count; i++)
        if (strcmp(thaw_report_optimizer(page, i), optimizer) == 0)
            return page->short_names[i];
    return optimizer;
}

static void head(const table *of, const char *id, const char *caption)
{
    thaw_report_page *page = of->page;
    thaw_text_append(&page->text,
                     "<p class=\"more\">Swipe or scroll sideways for more columns →</p>"
                     "<div class=\"scroll wider\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
                     "<table class=\"sortable\" id=\"%s\"><thead><tr>",
                     caption, id);
    for (size_t i = 0; i < THAW_COUNT(columns); i++)
        if (of->shown[i])
            thaw_text_append(
                &page->text,
                "<th scope=\"col\"%s data-c=\"%s\"%s><button type=\"button\" title=\"%s\">%s</button></th>",
                columns[i].text ? "" : " class=\"number\"", columns[i].key, i == 0 ? " aria-sort=\"ascending\"" : "",
                columns[i].explanation, columns[i].title);
    thaw_text_append(&page->text, "</tr></thead><tbody>\n");
}

/* A mean with its interval as a line, on an axis common to all rows. */
static void draw_interval(thaw_report_page *page, const thaw_axis *axis, double mean, double low, double high)
{
    if (!isfinite(mean))
        return;
    thaw_text_append(&page->text, "<svg class=\"spark\" viewBox=\"0 0 90 14\" aria-hidden=\"true\">");
    if (isfinite(low))
        thaw_chart_interval(page, axis, low, high, 7);
    thaw_text_append(&page->text, "<circle cx=\"%.1f\" cy=\"7\" r=\"3\"/></svg>", thaw_axis_place(axis, mean));
}

static void accuracy_field(const table *of, const json_t *configuration)
{
    thaw_report_page *page = of->page;
    char mean[THAW_FIELD_BYTES], low[THAW_FIELD_BYTES], high[THAW_FIELD_BYTES];
    const json_t *accuracy = json_object_get(configuration, "accuracy");
    const double value = thaw_report_number(accuracy, "mean"), least = thaw_report_number(accuracy, "low");
    const double most = thaw_report_number(accuracy, "high");
    thaw_text_append(&page->text, "<td class=\"number accuracy\" data-c=\"accuracy\" data-v=\"");
    thaw_markup_exact(&page->text, value);
    thaw_text_append(&page->text, "\"><b>%s</b>", thaw_format_percent(mean, value));
    if (isfinite(least))
        thaw_text_append(&page->text, " <small>%s–%s</small>", thaw_format_percent(low, least),
                         thaw_format_percent(high, most));
    draw_interval(page, &of->axis, value, least, most);
    thaw_text_append(&page->text, "</td>");
}

static void difference_field(const table *of, const json_t *configuration)
{
    char shown[3 * THAW_FIELD_BYTES], mean[THAW_FIELD_BYTES], low[THAW_FIELD_BYTES], high[THAW_FIELD_BYTES];
    const json_t *difference = json_object_get(configuration, "against_full");
    const double least = thaw_report_number(difference, "low"), value = thaw_report_number(difference, "mean");
    if (isfinite(least))
        snprintf(shown, sizeof shown, "%s <small>%s to %s</small>", thaw_format_points(mean, value),
                 thaw_format_points(low, least), thaw_format_points(high, thaw_report_number(difference, "high")));
    else
        snprintf(shown, sizeof shown, "%s", thaw_format_points(mean, value));
    number_field(of, "against_full", value, shown);
}

static double memory_of(const json_t *configuration)
{
    const json_t *bytes = json_object_get(configuration, "bytes");
    const char *kind;
    const json_t *value;
    double sum = 0;
    json_object_foreach((json_t *)(uintptr_t)bytes, kind, value) sum += json_number_value(value);
    return sum;
}

static void rank_field(const table *of, const json_t *configuration, const char *otherwise)
{
    const thaw_report_page *page = of->page;
    const double rank = thaw_report_number(configuration, "rank");
    char shown[THAW_FIELD_BYTES];
    size_t same = 0;
    for (size_t i = 0; i < page->point_count; i++)
        same += page->points[i].rank > 0 && (double)page->points[i].rank == rank;
    if (isfinite(rank))
        snprintf(shown, sizeof shown, "%.0f%s", rank, same > 1 ? "=" : "");
    else
        snprintf(shown, sizeof shown, "%s", otherwise);
    number_field(of, "rank", rank, shown);
}

static void row(const table *of, const json_t *configuration)
{
    thaw_report_page *page = of->page;
    char field[THAW_FIELD_BYTES];
    const char *strategy = thaw_report_string(configuration, "strategy");
    const char *optimizer = thaw_report_string(configuration, "optimizer");
    const double diverged = thaw_report_number(configuration, "diverged");
    const double rate = thaw_report_number(configuration, "learning_rate");
    const double loss = thaw_report_number(json_object_get(configuration, "loss"), "mean");
    const double seconds = thaw_report_number(configuration, "seconds_per_epoch");
    const double speed = thaw_report_number(configuration, "samples_per_second");
    const double target = thaw_report_number(configuration, "seconds_to_target");
    const double trained = thaw_report_number(configuration, "parameters_trained"), memory = memory_of(configuration);
    const double flops = thaw_report_number(configuration, "flops_per_step");
    const double joules = thaw_report_number(configuration, "joules_per_epoch");
    thaw_text_append(&page->text, "<tr>");
    rank_field(of, configuration, diverged > 0 ? "diverged" : "–");
    text_field(of, "strategy", strategy, strategy);
    text_field(of, "optimizer", optimizer, short_name(page, optimizer));
    accuracy_field(of, configuration);
    snprintf(field, sizeof field, "%.2g", rate);
    number_field(of, "learning_rate", rate, field);
    snprintf(field, sizeof field, isfinite(loss) ? "%.4f" : "–", loss);
    number_field(of, "loss", loss, field);
    difference_field(of, configuration);
    number_field(of, "seconds_per_epoch", seconds, thaw_format_seconds(field, seconds));
    number_field(of, "samples_per_second", speed, thaw_format_count(field, speed));
    number_field(of, "seconds_to_target", target, thaw_format_seconds(field, target));
    number_field(of, "parameters_trained", trained, thaw_format_count(field, trained));
    number_field(of, "bytes", memory, thaw_format_bytes(field, memory));
    number_field(of, "flops_per_step", flops, thaw_format_quantity(field, flops, "FLOP"));
    number_field(of, "joules_per_epoch", joules, thaw_format_quantity(field, joules, "J"));
    thaw_text_append(&page->text, "</tr>\n");
}

static void write_all(const table *of)
{
    thaw_report_page *page = of->page;
    const json_t *configurations = json_object_get(page->results, "configurations");
    thaw_text_append(&page->text, "<details><summary>All %zu configurations, with every learning rate</summary>\n",
                     json_array_size(configurations));
    head(of, "configurations", "All configurations");
    for (size_t i = 0; i < json_array_size(configurations); i++)
        if (thaw_report_number(json_array_get(configurations, i), "runs") > 0)
            row(of, json_array_get(configurations, i));
    thaw_text_append(&page->text, "</tbody></table></div></details>\n");
}

void thaw_report_ranking(thaw_report_page *page)
{
    const table ranked = table_of(page);
    thaw_text_append(
        &page->text,
        "<section id=\"ranking\"><h2>Ranking</h2>\n"
        "<p>Test accuracy after epoch %zu. Equal ranks are ties: intervals overlap. Click a column's head to "
        "sort.</p>\n",
        thaw_report_epochs(page));
    head(&ranked, "ranked", "Ranking");
    for (size_t i = 0; i < page->point_count; i++)
        row(&ranked, page->points[i].configuration);
    thaw_text_append(&page->text, "</tbody></table></div>\n");
    write_all(&ranked);
    thaw_text_append(&page->text, "</section>\n");
}
