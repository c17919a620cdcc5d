/* The paired differences against full fine-tuning, with their intervals. */
#include <math.h>
#include <thaw/statistics.h>

#include "report/page.h"

enum { WIDTH = 420, NAMES = 116, PLOT = 122, PLOT_END = 254, NUMBERS = 262, ROW = 24, TOP = 6 };

static const json_t *difference_of(const thaw_report_point *point)
{
    return point ? json_object_get(point->configuration, "against_full") : NULL;
}

static bool has_difference(const thaw_report_point *point)
{
    return isfinite(thaw_report_number(difference_of(point), "mean"));
}

/* The scale of most differences: three times the median distance from zero. */
static double usual_distance(const thaw_report_page *page, double *room)
{
    size_t count = 0;
    for (size_t i = 0; i < page->point_count; i++)
        if (has_difference(&page->points[i]))
            room[count++] = fabs(thaw_report_number(difference_of(&page->points[i]), "mean"));
    const double least = 0.01;
    return fmax(3 * thaw_median_of(room, count), least);
}

/* A value far from all others would compress the rest of the chart. It is beyond the end of the axis, and is drawn
   as an arrow. */
static thaw_axis axis_of_all(const thaw_report_page *page, double most)
{
    double low = 0, high = 0;
    for (size_t i = 0; i < page->point_count; i++) {
        const json_t *difference = difference_of(&page->points[i]);
        const char *const keys[] = { "low", "mean", "high" };
        for (size_t k = 0; k < THAW_COUNT(keys); k++) {
            low = fmin(low, thaw_report_number(difference, keys[k]));
            high = fmax(high, thaw_report_number(difference, keys[k]));
        }
    }
    return thaw_axis_linear(fmax(low, -most), fmin(high, most), PLOT, PLOT_END, 4);
}

static const char *word_of(double low, double high)
{
    return low > 0 ? "better" : high < 0 ? "worse" : "open";
}

static void draw_row(thaw_report_page *page, const thaw_axis *axis, const thaw_report_point *point, double y)
{
    char mean[THAW_FIELD_BYTES], least[THAW_FIELD_BYTES], most[THAW_FIELD_BYTES];
    const json_t *difference = difference_of(point);
    const double value = thaw_report_number(difference, "mean"), low = thaw_report_number(difference, "low");
    const double high = thaw_report_number(difference, "high");
    thaw_text *text = &page->text;
    thaw_text_append(text, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", NAMES, y + 4);
    thaw_markup_label(text, thaw_report_strategy(page, point->strategy), 17);
    thaw_text_append(text, "</text><g class=\"mark difference %s\" data-v=\"", word_of(low, high));
    thaw_markup_exact(text, value);
    thaw_text_append(text, "\"");
    thaw_chart_identity(page, point);
    thaw_text_append(text, ">");
    if (isfinite(low))
        thaw_chart_interval(page, axis, low, high, y);
    if (value < axis->low || value > axis->high)
        thaw_text_append(text, "<path class=\"beyond\" d=\"M%.2f %.1fl%d -5v10z\"/></g>", thaw_axis_place(axis, value),
                         y, value < 0 ? 9 : -9);
    else
        thaw_text_append(text, "<circle cx=\"%.2f\" cy=\"%.1f\" r=\"4\"/></g>", thaw_axis_place(axis, value), y);
    thaw_text_append(text, "<text class=\"value\" x=\"%d\" y=\"%.1f\">%s", NUMBERS, y + 4,
                     thaw_format_points(mean, value));
    if (isfinite(low))
        thaw_text_append(text, "<tspan class=\"quiet\"> %s to %s</tspan>", thaw_format_points(least, low),
                         thaw_format_points(most, high));
    thaw_text_append(text, "</text>\n");
}

static void draw(thaw_report_page *page, const thaw_axis *axis, size_t optimizer)
{
    size_t rows = 0;
    for (size_t i = 0; i < page->strategy_count; i++)
        rows += has_difference(thaw_report_find(page, i, optimizer));
    if (rows == 0)
        return;
    const double bottom = TOP + (double)rows * ROW, zero = thaw_axis_place(axis, 0);
    thaw_chart_open(page, "differences", page->short_names[optimizer],
                    "Difference of test accuracy to full fine-tuning for each strategy, with its 95 % interval", WIDTH,
                    bottom + 24);
    thaw_chart_ticks_x(page, axis, TOP, bottom, thaw_tick_percent);
    thaw_text_append(&page->text, "<path class=\"zero\" d=\"M%.2f %dV%.1f\"/>\n", zero, TOP, bottom);
    double y = TOP + ROW / 2.0;
    for (size_t i = 0; i < page->strategy_count; i++) {
        const thaw_report_point *point = thaw_report_find(page, i, optimizer);
        if (!has_difference(point))
            continue;
        draw_row(page, axis, point, y);
        y += ROW;
    }
    thaw_chart_close(page);
}

void thaw_report_differences(thaw_report_page *page)
{
    size_t all = 0;
    for (size_t i = 0; i < page->point_count; i++)
        all += has_difference(&page->points[i]);
    if (all == 0)
        return;
    double *room = thaw_allocate_array(page->context, page->point_count, sizeof *room);
    page->text.failed = page->text.failed || !room;
    if (!room)
        return;
    const thaw_axis axis = axis_of_all(page, usual_distance(page, room));
    thaw_release(page->context, room);
    thaw_text_append(
        &page->text,
        "<section id=\"differences\"><h2>Against full fine-tuning</h2>\n"
        "<p>Test accuracy minus that of <i>full</i> with the same optimizer, in points, paired by seed. Lines are "
        "95\u202F%% intervals. <span class=\"better\">Filled and above zero</span>: better. <span "
        "class=\"worse\">Filled and below zero</span>: worse. Hollow: these seeds cannot tell. Arrows point to what is "
        "beyond the axis.</p>\n"
        "<div class=\"wide\">");
    for (size_t i = 0; i < page->optimizer_count; i++)
        draw(page, &axis, i);
    thaw_text_append(&page->text, "</div></section>\n");
}
