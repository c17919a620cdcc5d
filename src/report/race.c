/* The race: how many configurations each rung trained, what it stopped, and why. */
#include <math.h>
#include <stdio.h>

#include "report/cells.h"

enum { WIDTH = 420, NAMES = 150, PLOT = 157, PLOT_END = 352, ROW = 24, THICKNESS = 14, TOP = 4 };

static const json_t *rungs_of(const thaw_report_page *page)
{
    return json_object_get(json_object_get(page->results, "race"), "rungs");
}

static double sum_of_rungs(const thaw_report_page *page, const char *key)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(rungs_of(page)); i++) {
        const double value = thaw_report_number(json_array_get(rungs_of(page), i), key);
        sum += value >= 0 ? value : 0;
    }
    return sum;
}

static size_t count_stopped(const thaw_report_page *page)
{
    const json_t *all = json_object_get(page->results, "configurations");
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(all); i++)
        count += json_object_get(json_array_get(all, i), "stopped") != NULL;
    return count;
}

/* ---------------------------------------------------------------- the rungs */

static char *plain_count(char field[THAW_FIELD_BYTES], double count)
{
    return thaw_format_count(field, count);
}

static void draw_bar(thaw_report_page *page, const thaw_axis *axis, const char *class, double from, double to, double y)
{
    const double begin = thaw_axis_place(axis, from), end = thaw_axis_place(axis, to);
    if (to > from)
        thaw_text_append(&page->text,
                         "<rect class=\"%s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" rx=\"2\"/>", class,
                         begin, y - THICKNESS / 2.0, end - begin, THICKNESS);
}

static void draw_rung(thaw_report_page *page, const thaw_axis *axis, const json_t *rung, size_t index, double y)
{
    const double all = thaw_report_number(rung, "configurations"), stopped = thaw_report_number(rung, "stopped");
    const double epochs = thaw_report_number(rung, "epochs"), seeds = thaw_report_number(rung, "seeds");
    char field[THAW_FIELD_BYTES];
    thaw_text *text = &page->text;
    if (!(all < 1e9 && stopped >= 0 && stopped <= all && epochs >= 0 && epochs < 1e9 && seeds >= 0 && seeds < 1e9))
        return;
    thaw_text_append(text, "<text class=\"name\" x=\"%d\" y=\"%.1f\">%.0f epoch%s, %.0f seed%s</text>", NAMES, y + 4,
                     epochs, epochs == 1 ? "" : "s", seeds, seeds == 1 ? "" : "s");
    thaw_text_append(text, "<g class=\"mark rung\" data-r=\"%zu\" data-v=\"%.9g\">", index, stopped);
    draw_bar(page, axis, "goes-on", 0, all - stopped, y);
    draw_bar(page, axis, "stops", all - stopped, all, y);
    thaw_text_append(text, "<title>%.0f of %.0f configurations were stopped</title></g>", stopped, all);
    thaw_text_append(text, "<text class=\"value\" x=\"%d\" y=\"%.1f\">%s", PLOT_END + 10, y + 4,
                     thaw_format_count(field, all));
    if (stopped > 0)
        thaw_text_append(text, "<tspan class=\"worse-text\"> −%s</tspan>", thaw_format_count(field, stopped));
    thaw_text_append(text, "</text>\n");
}

static void draw_rungs(thaw_report_page *page)
{
    const json_t *rungs = rungs_of(page);
    const size_t count = json_array_size(rungs) < 100 ? json_array_size(rungs) : 100;
    double most = 1;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, thaw_report_number(json_array_get(rungs, i), "configurations"));
    const thaw_axis axis = thaw_axis_linear(0, most, PLOT, PLOT_END, 4);
    const double bottom = TOP + (double)count * ROW;
    thaw_chart_open(page, "rungs", "Configurations in each rung, and those that it stopped",
                    "Configurations that each rung of the race trained, and how many it stopped", WIDTH, bottom + 22);
    thaw_chart_ticks_x(page, &axis, TOP, bottom, plain_count);
    for (size_t i = 0; i < count; i++)
        draw_rung(page, &axis, json_array_get(rungs, i), i, TOP + ((double)i + 0.5) * ROW);
    thaw_chart_close(page);
}

/* ---------------------------------------------------------------- what was stopped */

static void reason_cells(thaw_report_page *page, const json_t *stopped)
{
    const json_t *difference = json_object_get(stopped, "difference"), *leader = json_object_get(stopped, "leader");
    const double mean = thaw_report_number(difference, "mean");
    char shown[3 * THAW_FIELD_BYTES + 40], at[THAW_FIELD_BYTES], low[THAW_FIELD_BYTES], high[THAW_FIELD_BYTES];
    if (isfinite(mean))
        snprintf(shown, sizeof shown, "%s <small>%s to %s</small>", thaw_format_points(at, mean),
                 thaw_format_points(low, thaw_report_number(difference, "low")),
                 thaw_format_points(high, thaw_report_number(difference, "high")));
    else
        snprintf(shown, sizeof shown, "diverged");
    thaw_report_number_cell(page, "difference", mean, shown);
    thaw_text_append(&page->text, "<td data-c=\"leader\" data-v=\"");
    thaw_markup_text(&page->text, thaw_report_string(leader, "strategy"));
    thaw_text_append(&page->text, "\">");
    if (leader) {
        thaw_markup_label(&page->text, thaw_report_string(leader, "strategy"), 20);
        thaw_text_append(&page->text, ", ");
        thaw_markup_label(&page->text, thaw_report_string(leader, "optimizer"), 30);
        if (isfinite(thaw_report_number(leader, "learning_rate")))
            thaw_text_append(&page->text, ", %.2g", thaw_report_number(leader, "learning_rate"));
    }
    thaw_text_append(&page->text, "</td>");
}

static void write_row(thaw_report_page *page, const json_t *configuration)
{
    const json_t *stopped = json_object_get(configuration, "stopped");
    char field[THAW_FIELD_BYTES] = "–";
    const double rate = thaw_report_number(configuration, "learning_rate");
    if (isfinite(rate))
        snprintf(field, sizeof field, "%.2g", rate);
    thaw_text_append(&page->text, "<tr>");
    thaw_report_text_cell(page, "strategy", thaw_report_string(configuration, "strategy"));
    thaw_report_text_cell(page, "optimizer", thaw_report_string(configuration, "optimizer"));
    thaw_report_number_cell(page, "learning_rate", rate, field);
    thaw_report_count_cell(page, "epochs", thaw_report_number(stopped, "epochs"));
    thaw_report_count_cell(page, "seeds", thaw_report_number(stopped, "seeds"));
    reason_cells(page, stopped);
    thaw_text_append(&page->text, "</tr>\n");
}

static void write_head(thaw_report_page *page)
{
    static const thaw_report_column columns[] = {
        { "strategy", "strategy", "", false },
        { "optimizer", "optimizer", "", false },
        { "learning_rate", "rate", "the learning rate", true },
        { "epochs", "epochs", "of the rung that stopped it", true },
        { "seeds", "seeds", "of the rung that stopped it", true },
        { "difference", "behind the leader",
          "difference of test accuracies in points, paired by seed, with its interval", true },
        { "leader", "leader", "what it was compared with", false },
    };
    thaw_report_table_open(page, "stopped", "Stopped configurations", columns, THAW_COUNT(columns));
}

static void write_stopped(thaw_report_page *page, size_t count)
{
    const json_t *all = json_object_get(page->results, "configurations");
    thaw_text_append(&page->text, "<details><summary>What was stopped, and why: %zu configurations</summary>\n", count);
    write_head(page);
    for (size_t i = 0; i < json_array_size(all); i++)
        if (json_object_get(json_array_get(all, i), "stopped"))
            write_row(page, json_array_get(all, i));
    thaw_text_append(&page->text, "</tbody></table></div></details>\n");
}

void thaw_report_race(thaw_report_page *page)
{
    const json_t *race = json_object_get(page->results, "race");
    const double without = thaw_report_number(race, "epochs_without"), trained = sum_of_rungs(page, "epochs_trained");
    const size_t stopped = count_stopped(page);
    if (!race)
        return;
    thaw_text_append(&page->text,
                     "<section id=\"race\"><h2>The race</h2>\n<p>Racing stopped <b>%zu</b> of %zu "
                     "configurations that were already beaten",
                     stopped, json_array_size(json_object_get(page->results, "configurations")));
    if (without > 0 && isfinite(trained / without))
        thaw_text_append(&page->text, ", and trained <b>%.0f\u202F%%</b> of the epochs of all runs",
                         100 * trained / without);
    thaw_text_append(&page->text,
                     ". A rung stops what is in its worse half and also beaten: below the leader in test accuracy, "
                     "paired by seed, by its own 95\u202F%% interval and by one whose error holds for the whole race. "
                     "Ties go on. What gets ahead only late in training may have been stopped before.</p>\n"
                     "<div class=\"wide\">");
    draw_rungs(page);
    thaw_text_append(&page->text, "</div>\n");
    if (stopped)
        write_stopped(page, stopped);
    thaw_text_append(&page->text, "</section>\n");
}
