/* Where time and memory go: stacked bars, one chart per optimizer. */
#include <math.h>

#include "report/page.h"

enum { WIDTH = 420, NAMES = 122, PLOT = 128, PLOT_END = 352, ROW = 24, THICKNESS = 16, TOP = 4 };

typedef struct segment {
    const char *key, *words;
} segment;

typedef struct stack {
    const char *kind, *group, *label;
    const segment *segments;
    size_t segment_count;
    thaw_tick_format *format;
    bool time;
} stack;

static const segment phases[] = { { "data", "data" },
                                  { "forward", "forward" },
                                  { "backward", "backward" },
                                  { "update", "update" },
                                  { "other", "other" } };
static const segment places[] = { { "weights", "weights" },
                                  { "gradients", "gradients" },
                                  { "optimizer_state", "optimizer state" },
                                  { "activations", "activations" },
                                  { "cache", "feature cache" } };

static const stack time_stack = {
    "time", "times", "Seconds per epoch by phase for each strategy", phases, THAW_COUNT(phases), thaw_format_seconds,
    true,
};
static const stack memory_stack = {
    "memory",          "bytes", "Bytes of training by use for each strategy", places, THAW_COUNT(places),
    thaw_format_bytes, false,
};

static double value_of(const thaw_report_point *point, const stack *drawn, size_t index)
{
    const json_t *group = json_object_get(point->configuration, drawn->group);
    const double value = thaw_report_number(group, drawn->segments[index].key);
    return isfinite(value) && value > 0 ? value : 0;
}

static double sum_of(const thaw_report_point *point, const stack *drawn)
{
    double sum = 0;
    for (size_t i = 0; i < drawn->segment_count; i++)
        sum += value_of(point, drawn, i);
    return sum;
}

static void draw_bar(thaw_report_page *page, const stack *drawn, const thaw_axis *axis, const thaw_report_point *point,
                     double y)
{
    thaw_text *text = &page->text;
    char field[THAW_FIELD_BYTES];
    double below = 0;
    thaw_text_append(text, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", NAMES, y + THICKNESS - 4);
    thaw_markup_label(text, thaw_report_strategy(page, point->strategy), 17);
    thaw_text_append(text, "</text>");
    for (size_t i = 0; i < drawn->segment_count; i++) {
        const double value = value_of(point, drawn, i);
        const double begin = thaw_axis_place(axis, below), end = thaw_axis_place(axis, below + value);
        below += value;
        if (value <= 0)
            continue;
        thaw_text_append(text,
                         "<rect class=\"mark p%zu\" x=\"%.2f\" y=\"%.1f\" width=\"%.2f\" height=\"%d\" data-k=\"%s\" "
                         "data-v=\"",
                         i, begin, y, end - begin, THICKNESS, drawn->segments[i].key);
        thaw_markup_exact(text, value);
        thaw_text_append(text, "\"");
        thaw_chart_identity(page, point);
        thaw_text_append(text, "><title>%s: %s</title></rect>", drawn->segments[i].words, drawn->format(field, value));
    }
    thaw_text_append(text, "<text class=\"value\" x=\"%.2f\" y=\"%.1f\">%s</text>\n", thaw_axis_place(axis, below) + 6,
                     y + THICKNESS - 4, drawn->format(field, drawn->time ? point->seconds : point->bytes));
}

static void draw(thaw_report_page *page, const stack *drawn, const thaw_axis *axis, size_t optimizer)
{
    size_t rows = 0;
    for (size_t i = 0; i < page->strategy_count; i++)
        rows += thaw_report_find(page, i, optimizer) != NULL;
    if (rows == 0)
        return;
    const double bottom = TOP + (double)rows * ROW;
    thaw_chart_open(page, drawn->kind, page->short_names[optimizer], drawn->label, WIDTH, bottom + 22);
    thaw_chart_ticks_x(page, axis, TOP, bottom, drawn->time ? thaw_tick_seconds : thaw_tick_bytes);
    double y = TOP + (ROW - THICKNESS) / 2.0;
    for (size_t i = 0; i < page->strategy_count; i++) {
        const thaw_report_point *point = thaw_report_find(page, i, optimizer);
        if (!point)
            continue;
        draw_bar(page, drawn, axis, point, y);
        y += ROW;
    }
    thaw_chart_close(page);
}

static void draw_all(thaw_report_page *page, const stack *drawn)
{
    double most = 0;
    for (size_t i = 0; i < page->point_count; i++)
        most = fmax(most, sum_of(&page->points[i], drawn));
    thaw_axis axis = thaw_axis_linear(0, most, PLOT, PLOT_END, 4);
    thaw_text_append(&page->text, "<ul class=\"key\">");
    for (size_t i = 0; i < drawn->segment_count; i++)
        thaw_text_append(&page->text,
                         "<li><svg viewBox=\"0 0 14 14\" aria-hidden=\"true\"><rect class=\"p%zu\" width=\"14\" "
                         "height=\"14\"/></svg>%s</li>",
                         i, drawn->segments[i].words);
    thaw_text_append(&page->text, "</ul>\n<div class=\"wide\">");
    for (size_t i = 0; i < page->optimizer_count; i++)
        draw(page, drawn, &axis, i);
    thaw_text_append(&page->text, "</div>");
}

void thaw_report_costs(thaw_report_page *page)
{
    if (page->point_count == 0)
        return;
    thaw_text_append(
        &page->text,
        "<section id=\"time\"><h2>Where time goes</h2>\n"
        "<p>Training seconds per epoch, with the epoch that fills the feature cache and without tests. Each phase shows "
        "its own median over epochs and seeds. The number is the median of whole epochs.</p>\n");
    draw_all(page, &time_stack);
    thaw_text_append(&page->text, "</section>\n"
                                  "<section id=\"memory\"><h2>Where memory goes</h2>\n"
                                  "<p>The most in any epoch. What a strategy never trains has no gradients and no "
                                  "optimizer state.</p>\n");
    draw_all(page, &memory_stack);
    thaw_text_append(&page->text, "</section>\n");
}
