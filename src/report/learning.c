/* Test accuracy by epoch: one panel per strategy, one line with its band per optimizer. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/page.h"

enum { WIDTH = 200, HEIGHT = 150, LEFT = 30, RIGHT = 194, TOP = 24, BOTTOM = 128, COLOURS = 6 };

static const json_t *epochs_of(const thaw_report_point *point)
{
    return point ? json_object_get(point->configuration, "epoch_accuracy") : NULL;
}

static double figure(const json_t *epochs, size_t epoch, const char *key)
{
    const json_t *mean = json_array_get(epochs, epoch);
    const double value = thaw_report_number(mean, key);
    return isfinite(value) ? value : thaw_report_number(mean, "mean");
}

static int compare(const void *left, const void *right)
{
    const double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The least value that is shown. The lowest tenth is cut if it would take more than half of the axis: first epochs
   from scratch lie far below what the chart compares. */
static double least_shown(double *means, size_t count, double high)
{
    qsort(means, count, sizeof *means, compare);
    const double least = means[0], tenth = means[count / 10];
    return high - least > 2 * (high - tenth) ? tenth : least;
}

/* `means` has room for those of all epochs. */
static thaw_axis axis_of_all(const thaw_report_page *page, double *means)
{
    size_t count = 0;
    double high = -INFINITY;
    for (size_t i = 0; i < page->point_count; i++) {
        const json_t *epochs = epochs_of(&page->points[i]);
        for (size_t e = 0; e < json_array_size(epochs); e++) {
            const double mean = thaw_report_number(json_array_get(epochs, e), "mean");
            high = fmax(high, figure(epochs, e, "high"));
            if (isfinite(mean))
                means[count++] = mean;
        }
    }
    const double low = count ? least_shown(means, count, high) : NAN;
    return thaw_axis_linear(fmax(low, 0), fmin(high, 1), BOTTOM, TOP, 4);
}

static size_t count_epochs(const thaw_report_page *page)
{
    size_t count = 0;
    for (size_t i = 0; i < page->point_count; i++)
        count += json_array_size(epochs_of(&page->points[i]));
    return count;
}

static double place_of_epoch(const thaw_report_page *page, size_t epoch)
{
    const size_t epochs = thaw_report_epochs(page);
    if (epochs < 2)
        return (LEFT + RIGHT) / 2.0;
    return LEFT + 6 + (RIGHT - LEFT - 12.0) * (double)epoch / (double)(epochs - 1);
}

static void draw_band(thaw_report_page *page, const thaw_axis *axis, const json_t *epochs, size_t look)
{
    const size_t count = json_array_size(epochs);
    thaw_text_append(&page->text, "<path class=\"band o%zu\" d=\"", look);
    for (size_t e = 0; e < count; e++)
        thaw_text_append(&page->text, "%c%.1f %.2f", e ? 'L' : 'M', place_of_epoch(page, e),
                         thaw_axis_place(axis, figure(epochs, e, "high")));
    for (size_t e = count; e-- > 0;)
        thaw_text_append(&page->text, "L%.1f %.2f", place_of_epoch(page, e),
                         thaw_axis_place(axis, figure(epochs, e, "low")));
    thaw_text_append(&page->text, "Z\"/>");
    for (size_t e = 0; e < count; e++)
        if (figure(epochs, e, "low") < axis->low && figure(epochs, e, "mean") >= axis->low) {
            thaw_text_append(&page->text, "<g class=\"o%zu\">", look);
            thaw_chart_beyond(page, place_of_epoch(page, e), BOTTOM, 0, 1);
            thaw_text_append(&page->text, "</g>");
        }
}

static void draw_line(thaw_report_page *page, const thaw_axis *axis, const json_t *epochs, const char *class,
                      size_t look)
{
    thaw_text_append(&page->text, "<path class=\"%s o%zu\" d=\"", class, look);
    for (size_t e = 0; e < json_array_size(epochs); e++)
        thaw_text_append(&page->text, "%c%.1f %.2f", e ? 'L' : 'M', place_of_epoch(page, e),
                         thaw_axis_place(axis, figure(epochs, e, "mean")));
    thaw_text_append(&page->text, "\"/>\n");
}

static void draw_marks(thaw_report_page *page, const thaw_axis *axis, const thaw_report_point *point)
{
    const json_t *epochs = epochs_of(point);
    for (size_t e = 0; e < json_array_size(epochs); e++) {
        const double mean = figure(epochs, e, "mean");
        char field[THAW_FIELD_BYTES];
        thaw_text_append(&page->text, "<g class=\"mark dot o%zu\" transform=\"translate(%.1f %.2f)\" data-e=\"%zu\"",
                         point->optimizer % COLOURS, place_of_epoch(page, e), thaw_axis_place(axis, mean), e + 1);
        thaw_chart_identity(page, point);
        thaw_text_append(&page->text, " data-v=\"");
        thaw_markup_exact(&page->text, mean);
        thaw_text_append(&page->text, mean < axis->low ? "\"><path class=\"beyond\" d=\"M-3.5 -5h7l-3.5 5z\"/>"
                                                       : "\"><circle r=\"2\"/>");
        thaw_text_append(&page->text, "<title>");
        thaw_markup_text(&page->text, page->short_names[point->optimizer]);
        thaw_text_append(&page->text, ", epoch %zu: %s %%</title></g>", e + 1, thaw_format_percent(field, mean));
    }
}

static size_t place_of_full(const thaw_report_page *page)
{
    size_t i = 0;
    while (i < page->strategy_count && strcmp(thaw_report_strategy(page, i), "full") != 0)
        i++;
    return i;
}

static void draw_panel(thaw_report_page *page, const thaw_axis *axis, size_t strategy, size_t full)
{
    thaw_text *text = &page->text;
    const size_t epochs = thaw_report_epochs(page);
    thaw_chart_open(page, "panel", "", "Test accuracy by epoch", WIDTH, HEIGHT);
    thaw_text_append(text, "<text class=\"heading\" x=\"%d\" y=\"13\">", LEFT);
    thaw_markup_label(text, thaw_report_strategy(page, strategy), 22);
    thaw_text_append(text, "</text>\n");
    thaw_chart_ticks_y(page, axis, LEFT, RIGHT, thaw_tick_percent);
    const size_t ends[] = { 1, epochs };
    for (size_t i = 0; i < (epochs > 1 ? 2 : 1); i++)
        thaw_text_append(text, "<text class=\"tick x\" x=\"%.1f\" y=\"%d\" data-v=\"%zu\">%s%zu</text>",
                         place_of_epoch(page, ends[i] - 1), BOTTOM + 16, ends[i], i == 0 ? "epoch " : "", ends[i]);
    for (size_t o = 0; o < page->optimizer_count && strategy != full; o++)
        draw_line(page, axis, epochs_of(thaw_report_find(page, full, o)), "reference", o % COLOURS);
    for (size_t o = 0; o < page->optimizer_count; o++) {
        const thaw_report_point *point = thaw_report_find(page, strategy, o);
        if (!point)
            continue;
        draw_band(page, axis, epochs_of(point), o % COLOURS);
        draw_line(page, axis, epochs_of(point), "line", o % COLOURS);
        draw_marks(page, axis, point);
    }
    thaw_chart_close(page);
}

void thaw_report_learning(thaw_report_page *page)
{
    if (page->point_count == 0)
        return;
    double *means = thaw_allocate_array(page->context, count_epochs(page) + 1, sizeof *means);
    page->text.failed = page->text.failed || !means;
    if (!means)
        return;
    const thaw_axis axis = axis_of_all(page, means);
    thaw_release(page->context, means);
    const size_t full = place_of_full(page);
    thaw_text_append(&page->text,
                     "<section id=\"learning\"><h2>Accuracy by epoch</h2>\n<p>Mean test accuracy in percent; bands are "
                     "95\u202F%% intervals over seeds%s. Arrows point to what is below the axis.</p>\n",
                     full < page->strategy_count ? ". Dotted: <i>full</i> with the same optimizer" : "");
    thaw_chart_key(page);
    thaw_text_append(&page->text, "<div class=\"panels\">");
    for (size_t i = 0; i < page->strategy_count; i++)
        draw_panel(page, &axis, i, full);
    thaw_text_append(&page->text, "</div></section>\n");
}
