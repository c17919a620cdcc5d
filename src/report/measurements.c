/* Benchmark results in bench/measurement.schema.json: bars beside their limit, and curves for things measured at
   several sizes. */
#include <math.h>
#include <string.h>

#include "report/measured.h"
#include "report/measured_curves.h"

enum { WIDTH = 420, NAMES = 148, PLOT = 154, PLOT_END = 300, ROW = 24, THICKNESS = 14, TOP = 4 };

/* Groups: those of a benchmark, of the same bars, of the same curves. */
typedef struct grouped {
    thaw_measured_groups benchmarks, settings, things;
    bool *curves; /* whether the thing is drawn as curves; by its first measurement */
} grouped;

static const json_t *at(const thaw_report_page *page, size_t index)
{
    return json_array_get(page->measurements, index);
}

/* ---------------------------------------------------------------- bars */

/* The bars of a chart together. */
typedef struct bars {
    size_t count;
    double most;
    bool threads_differ;
} bars;

static bars measure_bars(const thaw_report_page *page, const thaw_measured_groups *settings, size_t index)
{
    bars all = { 0 };
    const double threads = thaw_report_number(at(page, index), "threads");
    for (size_t i = index; i != THAW_NO_MEASUREMENT; i = settings->next[i]) {
        all.count++;
        all.most = fmax(all.most, thaw_measured_value(at(page, i)));
        all.threads_differ = all.threads_differ || thaw_report_number(at(page, i), "threads") != threads;
    }
    return all;
}

static void write_value(thaw_report_page *page, const json_t *one, double x, double y)
{
    char field[THAW_FIELD_BYTES];
    const double limit = thaw_measured_share(one), bytes = thaw_report_number(one, "bytes");
    thaw_text_append(&page->text, "<text class=\"value\" x=\"%.2f\" y=\"%.1f\">%s", x, y,
                     thaw_measured_format(one, false)(field, thaw_measured_value(one)));
    if (isfinite(limit))
        thaw_text_append(&page->text, "<tspan class=\"quiet\"> %.0f\u202F%%</tspan>", 100 * limit);
    else if (isfinite(bytes))
        thaw_text_append(&page->text, "<tspan class=\"quiet\"> %s</tspan>", thaw_format_bytes(field, bytes));
    thaw_text_append(&page->text, "</text>\n");
}

static void draw_bar(thaw_report_page *page, const json_t *one, const thaw_axis *axis, double y, bool threads)
{
    thaw_text *text = &page->text;
    const double value = thaw_measured_value(one), limit = thaw_measured_limit(one);
    const double begin = thaw_axis_place(axis, 0), end = thaw_axis_place(axis, value);
    const bool ours = strncmp(thaw_report_string(one, "what"), "PyTorch", 7) != 0;
    thaw_text_append(text, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", NAMES, y + THICKNESS - 3);
    thaw_markup_label(text, thaw_report_string(one, "what"), threads ? 17 : 22);
    if (threads && isfinite(thaw_report_number(one, "threads")))
        thaw_text_append(text, ", %.0f t.", thaw_report_number(one, "threads"));
    thaw_text_append(text,
                     "</text><rect class=\"mark %s\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" data-v=\"",
                     ours ? "ours" : "peer", begin, y, fmax(end - begin, 0.5), THICKNESS);
    thaw_markup_exact(text, value);
    thaw_text_append(text, "\"/>");
    if (limit <= axis->high) /* otherwise it is beyond the axis, or there is none */
        thaw_text_append(text, "<path class=\"limit\" d=\"M%.2f %.1fV%.1f\"><title>limit</title></path>",
                         thaw_axis_place(axis, limit), y - 3, y + THICKNESS + 3);
    write_value(page, one, end + 6, y + THICKNESS - 3);
}

static void draw_bars(thaw_report_page *page, const thaw_measured_groups *settings, size_t index)
{
    const bars all = measure_bars(page, settings, index);
    const thaw_axis axis = thaw_axis_linear(0, all.most, PLOT, PLOT_END, 3);
    const double bottom = TOP + (double)all.count * ROW;
    thaw_chart_open(page, "bars", thaw_report_string(at(page, index), "setting"),
                    thaw_measured_is_time(at(page, index)) ? "Time of each, with its limit"
                                                           : "Value of each, with its limit",
                    WIDTH, bottom + 22);
    thaw_chart_ticks_x(page, &axis, TOP, bottom, thaw_measured_format(at(page, index), true));
    double y = TOP + (ROW - THICKNESS) / 2.0;
    for (size_t i = index; i != THAW_NO_MEASUREMENT; i = settings->next[i]) {
        draw_bar(page, at(page, i), &axis, y, all.threads_differ);
        y += ROW;
    }
    thaw_chart_close(page);
}

/* ---------------------------------------------------------------- a benchmark */

static void write_threads(thaw_report_page *page, const thaw_measured_groups *benchmarks, size_t index)
{
    double least = INFINITY, most = 0;
    for (size_t i = index; i != THAW_NO_MEASUREMENT; i = benchmarks->next[i]) {
        const double threads = thaw_report_number(at(page, i), "threads");
        least = fmin(least, threads);
        most = fmax(most, threads);
    }
    if (most == 0) /* not known */
        return;
    if (least < most)
        thaw_text_append(&page->text, "; %.0f to %.0f threads", least, most);
    else
        thaw_text_append(&page->text, "; %.0f thread%s", most, most == 1 ? "" : "s");
}

static void write_benchmark(thaw_report_page *page, const grouped *all, size_t index)
{
    const json_t *first = at(page, index);
    thaw_text *text = &page->text;
    thaw_text_append(text, "<section class=\"benchmark\"><h2>");
    thaw_markup_text(text, thaw_report_string(first, "title"));
    thaw_text_append(text, "</h2>\n<p>");
    thaw_markup_text(text, thaw_report_string(first, "processor"));
    write_threads(page, &all->benchmarks, index);
    if (thaw_report_number(first, "repetitions") > 1)
        thaw_text_append(text, ", %s of %.0f", thaw_measured_is_time(first) ? "medians" : "means",
                         thaw_report_number(first, "repetitions"));
    thaw_text_append(text, ".");
    if (*thaw_report_string(first, "limit")) {
        thaw_text_append(text,
                         thaw_measured_is_time(first) ? " Percent are of the speed of the limit: " : " The limit: ");
        thaw_markup_text(text, thaw_report_string(first, "limit"));
        thaw_text_append(text, ".");
    }
    thaw_text_append(text, "</p>\n<div class=\"panels\">");
    for (size_t i = index; i != THAW_NO_MEASUREMENT; i = all->benchmarks.next[i])
        if (all->things.first[i] == i && all->curves[i])
            thaw_measured_draw_curves(page, &all->things, i);
    thaw_text_append(text, "</div><div class=\"wide\">");
    for (size_t i = index; i != THAW_NO_MEASUREMENT; i = all->benchmarks.next[i])
        if (all->settings.first[i] == i && !all->curves[all->things.first[i]])
            draw_bars(page, &all->settings, i);
    thaw_text_append(text, "</div></section>\n");
}

static thaw_status group(const thaw_report_page *page, grouped *all)
{
    const size_t count = json_array_size(page->measurements);
    all->curves = thaw_allocate_array(page->context, count + 1, sizeof *all->curves);
    thaw_status status = all->curves ? thaw_measured_group(page, NULL, &all->benchmarks) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = thaw_measured_group(page, "setting", &all->settings);
    if (status == THAW_OK)
        status = thaw_measured_group(page, "what", &all->things);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        all->curves[i] = all->things.first[i] == i && thaw_measured_is_curve(page, &all->things, i);
    return status;
}

void thaw_report_measurements(thaw_report_page *page)
{
    grouped all = { 0 };
    const size_t count = json_array_size(page->measurements);
    if (group(page, &all) != THAW_OK)
        page->text.failed = true;
    for (size_t i = 0; i < count && !page->text.failed; i++)
        if (all.benchmarks.first[i] == i)
            write_benchmark(page, &all, i);
    thaw_release(page->context, all.curves);
    thaw_measured_groups_release(page->context, &all.benchmarks);
    thaw_measured_groups_release(page->context, &all.settings);
    thaw_measured_groups_release(page->context, &all.things);
}
