/* Tuning: what was tried, what was chosen, and what it cost. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/cells.h"

enum { WIDTH = 200, HEIGHT = 150, LEFT = 30, RIGHT = 194, TOP = 24, BOTTOM = 128, COLOURS = 6, MOST_TRIALS = 20000 };

static const json_t *trials_of(const thaw_report_page *page)
{
    return json_object_get(page->results, "trials");
}

static size_t count_trials(const thaw_report_page *page)
{
    const size_t count = json_array_size(trials_of(page));
    return count < MOST_TRIALS ? count : MOST_TRIALS;
}

/* After the last epoch; NAN if it diverged. */
static double accuracy_of(const json_t *trial)
{
    const json_t *epochs = json_object_get(trial, "epochs");
    const json_t *last = json_array_get(epochs, json_array_size(epochs) - 1);
    return thaw_report_true(trial, "diverged") ? (double)NAN : thaw_report_number(last, "validation_accuracy");
}

static double rate_of(const json_t *trial)
{
    return thaw_report_number(json_object_get(trial, "settings"), "lr");
}

static bool can_be_drawn(const json_t *trial)
{
    const double accuracy = accuracy_of(trial), rate = rate_of(trial);
    return accuracy >= 0 && accuracy <= 1 && rate > 1e-30 && rate < 1e30;
}

/* "lr=0.001, beta1=0.9" */
static void write_settings(thaw_report_page *page, const json_t *settings)
{
    const char *name, *between = "";
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)settings, name, value)
    {
        thaw_text_append(&page->text, "%s", between);
        thaw_markup_label(&page->text, name, 40);
        thaw_text_append(&page->text, "=%.4g", json_number_value(value));
        between = ", ";
    }
}

static const json_t *configuration_of(const thaw_report_page *page, const char *strategy, const char *optimizer)
{
    const json_t *all = json_object_get(page->results, "configurations");
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i);
        if (strcmp(thaw_report_string(one, "strategy"), strategy) == 0 &&
            strcmp(thaw_report_string(one, "optimizer"), optimizer) == 0)
            return one;
    }
    return NULL;
}

static bool is_chosen(const thaw_report_page *page, const json_t *trial)
{
    const json_t *configuration =
        configuration_of(page, thaw_report_string(trial, "strategy"), thaw_report_string(trial, "optimizer"));
    const json_t *choice = json_object_get(configuration, "tuning");
    return thaw_report_number(choice, "trial") == thaw_report_number(trial, "trial");
}

/* ---------------------------------------------------------------- the trials */

typedef struct axes {
    thaw_axis rates, accuracies;
    size_t count; /* of what can be drawn */
} axes;

static axes axes_of(const thaw_report_page *page)
{
    double low = INFINITY, high = -INFINITY, least = INFINITY, most = -INFINITY;
    axes made = { .count = 0 };
    for (size_t i = 0; i < count_trials(page); i++) {
        const json_t *trial = json_array_get(trials_of(page), i);
        if (!can_be_drawn(trial))
            continue;
        made.count++;
        low = fmin(low, accuracy_of(trial));
        high = fmax(high, accuracy_of(trial));
        least = fmin(least, rate_of(trial));
        most = fmax(most, rate_of(trial));
    }
    if (made.count == 0)
        return made;
    made.accuracies = thaw_axis_linear(low, high, BOTTOM, TOP, 4);
    made.rates = thaw_axis_logarithmic(least, most, LEFT + 6, RIGHT - 6);
    return made;
}

static void draw_trial(thaw_report_page *page, const axes *scales, const json_t *trial, size_t optimizer)
{
    thaw_text *text = &page->text;
    char field[THAW_FIELD_BYTES];
    const double accuracy = accuracy_of(trial);
    const bool chosen = is_chosen(page, trial);
    thaw_text_append(text, "<g class=\"mark trial o%zu%s\" transform=\"translate(%.1f %.2f)\" data-v=\"",
                     optimizer % COLOURS, chosen ? " chosen" : "", thaw_axis_place(&scales->rates, rate_of(trial)),
                     thaw_axis_place(&scales->accuracies, accuracy));
    thaw_markup_exact(text, accuracy);
    thaw_text_append(text, "\"><circle r=\"%s\"/><title>", chosen ? "3.6" : "2.4");
    thaw_markup_label(text, thaw_report_string(trial, "strategy"), 40);
    thaw_text_append(text, ": ");
    write_settings(page, json_object_get(trial, "settings"));
    thaw_text_append(text, ": %s %%</title></g>\n", thaw_format_percent(field, accuracy));
}

/* The ends of the axis of rates. */
static void draw_rates(thaw_report_page *page, const thaw_axis *axis)
{
    thaw_text_append(&page->text, "<text class=\"tick\" x=\"%d\" y=\"%d\">%.1g</text>", LEFT, BOTTOM + 16, axis->low);
    thaw_text_append(&page->text, "<text class=\"tick last\" x=\"%d\" y=\"%d\">%.1g</text>", RIGHT, BOTTOM + 16,
                     axis->high);
}

static bool has_drawn(const thaw_report_page *page, size_t optimizer)
{
    for (size_t i = 0; i < count_trials(page); i++) {
        const json_t *trial = json_array_get(trials_of(page), i);
        if (can_be_drawn(trial) &&
            strcmp(thaw_report_string(trial, "optimizer"), thaw_report_optimizer(page, optimizer)) == 0)
            return true;
    }
    return false;
}

static void draw_panel(thaw_report_page *page, const axes *scales, size_t optimizer)
{
    const char *name = thaw_report_optimizer(page, optimizer);
    thaw_chart_open(page, "panel tuning", "", "Validation accuracy of the trials by learning rate", WIDTH, HEIGHT);
    thaw_text_append(&page->text, "<text class=\"heading\" x=\"%d\" y=\"13\">", LEFT);
    thaw_markup_label(&page->text, page->short_names[optimizer], 22);
    thaw_text_append(&page->text, "</text>\n");
    thaw_chart_ticks_y(page, &scales->accuracies, LEFT, RIGHT, thaw_tick_percent);
    draw_rates(page, &scales->rates);
    for (int chosen = 0; chosen < 2; chosen++)
        for (size_t i = 0; i < count_trials(page); i++) {
            const json_t *trial = json_array_get(trials_of(page), i);
            if (can_be_drawn(trial) && strcmp(thaw_report_string(trial, "optimizer"), name) == 0 &&
                is_chosen(page, trial) == (chosen == 1))
                draw_trial(page, scales, trial, optimizer);
        }
    thaw_chart_close(page);
}

static void draw_trials(thaw_report_page *page)
{
    const axes scales = axes_of(page);
    if (scales.count == 0)
        return;
    thaw_text_append(&page->text,
                     "<p>Validation accuracy in percent by learning rate, on a logarithmic scale: a dot is a trial, of "
                     "any strategy, and a large dot one that was chosen. Trials that diverged are not shown.</p>\n"
                     "<div class=\"panels\">");
    for (size_t i = 0; i < page->optimizer_count; i++)
        if (has_drawn(page, i))
            draw_panel(page, &scales, i);
    thaw_text_append(&page->text, "</div>\n");
}

/* ---------------------------------------------------------------- tables */

static void percent_cell(thaw_report_page *page, const char *key, double share)
{
    char field[THAW_FIELD_BYTES];
    thaw_report_number_cell(page, key, share, thaw_format_percent(field, share));
}

static void write_choices(thaw_report_page *page)
{
    static const thaw_report_column columns[] = {
        { "strategy", "strategy", "", false },
        { "optimizer", "optimizer", "", false },
        { "trial", "trial", "the number of the best", true },
        { "validation", "validation, %", "accuracy of the trial on the validation data", true },
        { "accuracy", "test, %", "mean test accuracy of the runs with its settings", true },
        { "settings", "settings", "", false },
    };
    const json_t *all = json_object_get(page->results, "configurations");
    thaw_text_append(&page->text, "<details><summary>The chosen settings</summary>\n");
    thaw_report_table_open(page, "chosen", "Chosen settings", columns, THAW_COUNT(columns));
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *one = json_array_get(all, i), *choice = json_object_get(one, "tuning");
        if (!json_is_object(choice))
            continue;
        thaw_text_append(&page->text, "<tr>");
        thaw_report_text_cell(page, "strategy", thaw_report_string(one, "strategy"));
        thaw_report_text_cell(page, "optimizer", thaw_report_string(one, "optimizer"));
        thaw_report_count_cell(page, "trial", thaw_report_number(choice, "trial"));
        percent_cell(page, "validation", thaw_report_number(choice, "validation_accuracy"));
        percent_cell(page, "accuracy", thaw_report_number(json_object_get(one, "accuracy"), "mean"));
        thaw_text_append(&page->text, "<td data-c=\"settings\">");
        write_settings(page, json_object_get(choice, "settings"));
        thaw_text_append(&page->text, "</td></tr>\n");
    }
    thaw_text_append(&page->text, "</tbody></table></div></details>\n");
}

static void write_costs(thaw_report_page *page, const json_t *costs)
{
    static const thaw_report_column columns[] = {
        { "optimizer", "optimizer", "", false },
        { "trials", "trials", "with all strategies", true },
        { "diverged", "diverged", "of them", true },
        { "epochs", "epochs", "that they trained", true },
        { "seconds", "time", "that they took, with validation", true },
    };
    thaw_text_append(&page->text, "<details><summary>What tuning cost, by optimizer</summary>\n");
    thaw_report_table_open(page, "costs-of-tuning", "What tuning cost", columns, THAW_COUNT(columns));
    for (size_t i = 0; i < json_array_size(costs); i++) {
        const json_t *one = json_array_get(costs, i);
        const double seconds = thaw_report_number(one, "seconds");
        char field[THAW_FIELD_BYTES];
        thaw_text_append(&page->text, "<tr>");
        thaw_report_text_cell(page, "optimizer", thaw_report_string(one, "optimizer"));
        for (size_t c = 1; c < 4; c++)
            thaw_report_count_cell(page, columns[c].key, thaw_report_number(one, columns[c].key));
        thaw_report_number_cell(page, "seconds", seconds, thaw_format_seconds(field, seconds));
        thaw_text_append(&page->text, "</tr>\n");
    }
    thaw_text_append(&page->text, "</tbody></table></div></details>\n");
}

static double sum_of(const json_t *costs, const char *key)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(costs); i++)
        sum += thaw_report_number(json_array_get(costs, i), key);
    return sum;
}

void thaw_report_tuning(thaw_report_page *page)
{
    const json_t *costs = json_object_get(json_object_get(page->results, "tuning"), "optimizers");
    const json_t *told = json_object_get(json_object_get(page->results, "experiment"), "tuning");
    char trials[THAW_FIELD_BYTES], epochs[THAW_FIELD_BYTES], seconds[THAW_FIELD_BYTES], each[THAW_FIELD_BYTES];
    char training[THAW_FIELD_BYTES], validation[THAW_FIELD_BYTES];
    if (!told)
        return;
    thaw_text_append(
        &page->text,
        "<section id=\"tuning\"><h2>Tuning</h2>\n<p>Of each optimizer, <b>%s</b> settings were tried with each "
        "strategy, at the same places of their ranges: trained on %s samples, and judged on %s others. The best were "
        "then run on all of these from other seeds; only those runs were tested. The %s trials took %s epochs and "
        "<b>%s</b>.</p>\n",
        thaw_format_count(each, thaw_report_number(told, "trials")),
        thaw_format_count(training, thaw_report_number(told, "training_samples")),
        thaw_format_count(validation, thaw_report_number(told, "validation_samples")),
        thaw_format_count(trials, sum_of(costs, "trials")), thaw_format_count(epochs, sum_of(costs, "epochs")),
        thaw_format_seconds(seconds, sum_of(costs, "seconds")));
    draw_trials(page);
    write_choices(page);
    write_costs(page, costs);
    thaw_text_append(&page->text, "</section>\n");
}
