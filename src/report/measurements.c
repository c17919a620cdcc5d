/* Benchmark results in bench/measurement.schema.json: bars beside their limit, and curves for things measured at
   several sizes. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/measured.h"

enum { WIDTH = 420, NAMES = 148, PLOT = 154, PLOT_END = 300, ROW = 24, THICKNESS = 14, TOP = 4, MOST_LINES = 6 };
enum { PANEL_WIDTH = 200, PANEL_HEIGHT = 160, PANEL_LEFT = 36, PANEL_RIGHT = 192, PANEL_TOP = 24, PANEL_BOTTOM = 124 };
enum { SIZES = 3 }; /* points that make a curve */

static const json_t *at(const thaw_report_page *page, size_t index)
{
    return json_array_get(page->measurements, index);
}

static size_t count_of(const thaw_report_page *page)
{
    return json_array_size(page->measurements);
}

static bool same(const json_t *left, const json_t *right, const char *key)
{
    return strcmp(thaw_report_string(left, key), thaw_report_string(right, key)) == 0;
}

static bool of_benchmark(const json_t *left, const json_t *right)
{
    return same(left, right, "benchmark");
}

/* Whether two belong to the same bars. */
static bool of_setting(const json_t *left, const json_t *right)
{
    return of_benchmark(left, right) && same(left, right, "setting");
}

/* Whether two belong to the same curves. */
static bool of_thing(const json_t *left, const json_t *right)
{
    return of_benchmark(left, right) && same(left, right, "what");
}

typedef bool alike(const json_t *left, const json_t *right);

static bool is_first(const thaw_report_page *page, size_t index, alike *are)
{
    for (size_t i = 0; i < index; i++)
        if (are(at(page, i), at(page, index)))
            return false;
    return true;
}

/* ---------------------------------------------------------------- bars */

static double most_of_setting(const thaw_report_page *page, size_t index)
{
    double most = 0;
    for (size_t i = index; i < count_of(page); i++)
        if (of_setting(at(page, i), at(page, index)))
            most = fmax(most, thaw_measured_value(at(page, i)));
    return most;
}

static bool threads_differ(const thaw_report_page *page, size_t index)
{
    for (size_t i = index; i < count_of(page); i++)
        if (of_setting(at(page, i), at(page, index)) &&
            thaw_report_number(at(page, i), "threads") != thaw_report_number(at(page, index), "threads"))
            return true;
    return false;
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
    if (threads)
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

static void draw_bars(thaw_report_page *page, size_t index)
{
    size_t rows = 0;
    for (size_t i = index; i < count_of(page); i++)
        rows += of_setting(at(page, i), at(page, index));
    const thaw_axis axis = thaw_axis_linear(0, most_of_setting(page, index), PLOT, PLOT_END, 3);
    const double bottom = TOP + (double)rows * ROW;
    const bool threads = threads_differ(page, index);
    thaw_chart_open(page, "bars", thaw_report_string(at(page, index), "setting"),
                    thaw_measured_is_time(at(page, index)) ? "Time of each, with its limit"
                                                           : "Value of each, with its limit",
                    WIDTH, bottom + 22);
    thaw_chart_ticks_x(page, &axis, TOP, bottom, thaw_measured_format(at(page, index), true));
    double y = TOP + (ROW - THICKNESS) / 2.0;
    for (size_t i = index; i < count_of(page); i++) {
        if (!of_setting(at(page, i), at(page, index)))
            continue;
        draw_bar(page, at(page, i), &axis, y, threads);
        y += ROW;
    }
    thaw_chart_close(page);
}

/* ---------------------------------------------------------------- curves */

static size_t count_sizes(const thaw_report_page *page, size_t index)
{
    size_t sizes = 0;
    for (size_t i = index; i < count_of(page); i++)
        sizes += of_thing(at(page, i), at(page, index)) && thaw_report_number(at(page, i), "size") > 0 &&
                 thaw_report_number(at(page, i), "threads") == thaw_report_number(at(page, index), "threads");
    return sizes;
}

static char *format_size(char field[THAW_FIELD_BYTES], double size)
{
    return thaw_format_quantity(field, size, "");
}

static char *format_share(char field[THAW_FIELD_BYTES], double share)
{
    snprintf(field, THAW_FIELD_BYTES, "%.0f", 100 * share);
    return field;
}

/* The next larger size measured with this number of threads, or NULL. */
static const json_t *next_size(const thaw_report_page *page, const json_t *like, double threads, double above)
{
    const json_t *next = NULL;
    for (size_t i = 0; i < count_of(page); i++) {
        const json_t *one = at(page, i);
        const double size = thaw_report_number(one, "size");
        if (of_thing(one, like) && thaw_report_number(one, "threads") == threads && size > above &&
            (!next || size < thaw_report_number(next, "size")))
            next = one;
    }
    return next;
}

static void draw_curve(thaw_report_page *page, const json_t *like, double threads, const thaw_axis *x,
                       const thaw_axis *y, size_t look)
{
    thaw_text *text = &page->text;
    double size = 0;
    for (int marks = 0; marks < 2; marks++) {
        size = 0;
        if (!marks)
            thaw_text_append(text, "<path class=\"line o%zu\" d=\"", look);
        for (const json_t *one; (one = next_size(page, like, threads, size));) {
            const double place = thaw_axis_place(x, thaw_report_number(one, "size"));
            const double height = thaw_axis_place(y, thaw_measured_share(one));
            if (marks) {
                thaw_text_append(text, "<circle class=\"mark dot o%zu\" r=\"2.4\" cx=\"%.2f\" cy=\"%.2f\" data-v=\"",
                                 look, place, height);
                thaw_markup_exact(text, thaw_measured_share(one));
                thaw_text_append(text, "\"/>");
            } else {
                thaw_text_append(text, "%c%.2f %.2f", size > 0 ? 'L' : 'M', place, height);
            }
            size = thaw_report_number(one, "size");
        }
        thaw_text_append(text, marks ? "\n" : "\"/>");
    }
    const json_t *first = next_size(page, like, threads, 0);
    thaw_text_append(text, "<text class=\"end o%zu\" x=\"%.1f\" y=\"%.1f\">%.0f thread%s</text>", look,
                     thaw_axis_place(x, thaw_report_number(first, "size")),
                     thaw_axis_place(y, thaw_measured_share(first)) + (look % 2 ? 14 : -7), threads,
                     threads == 1 ? "" : "s");
}

static void draw_curves(thaw_report_page *page, size_t index)
{
    const json_t *like = at(page, index);
    double low = INFINITY, high = 0, most = 0, drawn[MOST_LINES];
    size_t lines = 0;
    for (size_t i = index; i < count_of(page); i++) {
        if (!of_thing(at(page, i), like))
            continue;
        low = fmin(low, thaw_report_number(at(page, i), "size"));
        high = fmax(high, thaw_report_number(at(page, i), "size"));
        most = fmax(most, thaw_measured_share(at(page, i)));
    }
    const thaw_axis x = thaw_axis_logarithmic(low, high, PANEL_LEFT, PANEL_RIGHT);
    const thaw_axis y = thaw_axis_linear(0, fmax(most, 1), PANEL_BOTTOM, PANEL_TOP, 4);
    thaw_chart_open(page, "panel scaling", "", "Share of the limit's speed by size and threads", PANEL_WIDTH,
                    PANEL_HEIGHT);
    thaw_text_append(&page->text, "<text class=\"heading\" x=\"%d\" y=\"13\">", PANEL_LEFT);
    thaw_markup_label(&page->text, thaw_report_string(like, "what"), 25);
    thaw_text_append(&page->text, "</text>\n");
    thaw_chart_ticks_y(page, &y, PANEL_LEFT, PANEL_RIGHT, format_share);
    thaw_chart_ticks_x(page, &x, PANEL_TOP, PANEL_BOTTOM, format_size);
    thaw_text_append(&page->text, "<text class=\"axis\" x=\"%d\" y=\"%d\">", PANEL_RIGHT, PANEL_BOTTOM + 30);
    thaw_markup_label(&page->text, thaw_report_string(like, "size_unit"), 20);
    thaw_text_append(&page->text, "</text>");
    for (size_t i = index; i < count_of(page) && lines < MOST_LINES; i++) {
        const double threads = thaw_report_number(at(page, i), "threads");
        bool done = !of_thing(at(page, i), like);
        for (size_t k = 0; k < lines && !done; k++)
            done = drawn[k] == threads;
        if (done)
            continue;
        drawn[lines] = threads;
        draw_curve(page, like, threads, &x, &y, lines++);
    }
    thaw_chart_close(page);
}

/* ---------------------------------------------------------------- a benchmark */

static bool is_curve(const thaw_report_page *page, size_t index)
{
    for (size_t i = 0; i <= index; i++)
        if (of_thing(at(page, i), at(page, index)))
            return isfinite(thaw_measured_share(at(page, i))) && count_sizes(page, i) >= SIZES;
    return false;
}

static void write_threads(thaw_report_page *page, const json_t *like)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < count_of(page); i++) {
        const double threads = thaw_report_number(at(page, i), "threads");
        if (!of_benchmark(at(page, i), like))
            continue;
        least = fmin(least, threads);
        most = fmax(most, threads);
    }
    if (least < most)
        thaw_text_append(&page->text, "; %.0f to %.0f threads", least, most);
    else
        thaw_text_append(&page->text, "; %.0f thread%s", most, most == 1 ? "" : "s");
}

static void write_benchmark(thaw_report_page *page, size_t index)
{
    const json_t *first = at(page, index);
    thaw_text *text = &page->text;
    thaw_text_append(text, "<section class=\"benchmark\"><h2>");
    thaw_markup_text(text, thaw_report_string(first, "title"));
    thaw_text_append(text, "</h2>\n<p>");
    thaw_markup_text(text, thaw_report_string(first, "processor"));
    write_threads(page, first);
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
    for (size_t i = index; i < count_of(page); i++)
        if (of_benchmark(at(page, i), first) && is_first(page, i, of_thing) && is_curve(page, i))
            draw_curves(page, i);
    thaw_text_append(text, "</div><div class=\"wide\">");
    for (size_t i = index; i < count_of(page); i++)
        if (of_benchmark(at(page, i), first) && is_first(page, i, of_setting) && !is_curve(page, i))
            draw_bars(page, i);
    thaw_text_append(text, "</div></section>\n");
}

void thaw_report_measurements(thaw_report_page *page)
{
    for (size_t i = 0; i < count_of(page); i++)
        if (is_first(page, i, of_benchmark))
            write_benchmark(page, i);
}
