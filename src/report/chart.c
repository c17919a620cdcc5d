/* Elements of charts. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "report/page.h"

/* Optimizers beyond these share colours; their labels distinguish them. */
enum { COLOURS = 6 };

void thaw_chart_open(thaw_report_page *page, const char *kind, const char *caption, const char *label, double width,
                     double height)
{
    thaw_text *text = &page->text;
    thaw_text_append(text, "<figure class=\"chart %s\">", kind);
    if (*caption) {
        thaw_text_append(text, "<figcaption>");
        thaw_markup_text(text, caption);
        thaw_text_append(text, "</figcaption>");
    }
    thaw_text_append(text, "<svg viewBox=\"0 0 %g %g\" role=\"img\" aria-label=\"", width, height);
    thaw_markup_text(text, label);
    thaw_text_append(text, "\">\n");
}

void thaw_chart_close(thaw_report_page *page)
{
    thaw_text_append(&page->text, "</svg></figure>\n");
}

void thaw_chart_identity(thaw_report_page *page, const thaw_report_point *point)
{
    thaw_text_append(&page->text, " data-s=\"%zu\" data-o=\"%zu\"", point->strategy, point->optimizer);
}

void thaw_chart_shape(thaw_report_page *page, const thaw_report_point *point, double x, double y, const char *class)
{
    /* Shapes of about equal area. */
    static const char *const outlines[COLOURS] = {
        NULL,
        "M-4-4H4V4H-4Z",
        "M0-5.2L5 3.6H-5Z",
        "M0-5.4L5.4 0 0 5.4-5.4 0Z",
        "M0 5.2L5-3.6H-5Z",
        "M-1.8-5H1.8V-1.8H5V1.8H1.8V5H-1.8V1.8H-5V-1.8H-1.8Z",
    };
    const size_t look = point->optimizer % COLOURS;
    thaw_text_append(&page->text, "<g class=\"mark o%zu %s\" transform=\"translate(%.2f %.2f)\"", look, class, x, y);
    thaw_chart_identity(page, point);
    if (outlines[look])
        thaw_text_append(&page->text, "><path d=\"%s\"/>", outlines[look]);
    else
        thaw_text_append(&page->text, "><circle r=\"4.6\"/>");
}

void thaw_chart_shape_close(thaw_report_page *page)
{
    thaw_text_append(&page->text, "</g>");
}

void thaw_chart_title(thaw_report_page *page, const thaw_report_point *point)
{
    char mean[THAW_FIELD_BYTES], low[THAW_FIELD_BYTES], high[THAW_FIELD_BYTES];
    thaw_text_append(&page->text, "<title>");
    thaw_markup_text(&page->text, thaw_report_strategy(page, point->strategy));
    thaw_text_append(&page->text, ", ");
    thaw_markup_text(&page->text, page->short_names[point->optimizer]);
    thaw_text_append(&page->text, ": %s %%", thaw_format_percent(mean, point->accuracy));
    if (isfinite(point->low))
        thaw_text_append(&page->text, " (%s to %s)", thaw_format_percent(low, point->low),
                         thaw_format_percent(high, point->high));
    thaw_text_append(&page->text, "</title>");
}

void thaw_chart_beyond(thaw_report_page *page, double x, double y, int across, int down)
{
    if (across)
        thaw_text_append(&page->text, "<path class=\"cut\" d=\"M%.2f %.2fl%d 3.5l%d 3.5\"/>", x - 4 * across, y - 3.5,
                         4 * across, -4 * across);
    else
        thaw_text_append(&page->text, "<path class=\"cut\" d=\"M%.2f %.2fl3.5 %dl3.5 %d\"/>", x - 3.5, y - 4 * down,
                         4 * down, -4 * down);
}

void thaw_chart_interval(thaw_report_page *page, const thaw_axis *axis, double low, double high, double y)
{
    const double left = thaw_axis_place(axis, low), right = thaw_axis_place(axis, high);
    thaw_text_append(&page->text, "<path d=\"M%.2f %.1fH%.2f\"/>", left, y, right);
    if (low < axis->low)
        thaw_chart_beyond(page, left, y, -1, 0);
    if (high > axis->high)
        thaw_chart_beyond(page, right, y, 1, 0);
}

void thaw_chart_key(thaw_report_page *page)
{
    if (page->optimizer_count < 2)
        return;
    thaw_text_append(&page->text, "<ul class=\"key\">");
    for (size_t i = 0; i < page->optimizer_count; i++) {
        const thaw_report_point look = { .optimizer = i };
        thaw_text_append(&page->text, "<li title=\"");
        thaw_markup_text(&page->text, thaw_report_optimizer(page, i));
        thaw_text_append(&page->text, "\"><svg viewBox=\"-7 -7 14 14\" aria-hidden=\"true\">");
        thaw_chart_shape(page, &look, 0, 0, "");
        thaw_chart_shape_close(page);
        thaw_text_append(&page->text, "</svg>");
        thaw_markup_text(&page->text, page->short_names[i]);
        thaw_text_append(&page->text, "</li>");
    }
    thaw_text_append(&page->text, "</ul>\n");
}

/* ---------------------------------------------------------------- axes */

char *thaw_tick_percent(char field[THAW_FIELD_BYTES], double share)
{
    snprintf(field, THAW_FIELD_BYTES, "%.6g", 100 * share);
    return field;
}

/* "50.0 ms" becomes "50 ms"; zero needs no unit. */
static char *trim(char field[THAW_FIELD_BYTES], double value)
{
    if (value == 0)
        return strcpy(field, "0");
    char *point = strchr(field, '.');
    if (!point)
        return field;
    char *end = point + 1 + strspn(point + 1, "0123456789"), *keep = end;
    while (keep[-1] == '0')
        keep--;
    keep -= keep[-1] == '.';
    memmove(keep, end, strlen(end) + 1);
    return field;
}

char *thaw_tick_seconds(char field[THAW_FIELD_BYTES], double seconds)
{
    return trim(thaw_format_seconds(field, seconds), seconds);
}

char *thaw_tick_bytes(char field[THAW_FIELD_BYTES], double bytes)
{
    return trim(thaw_format_bytes(field, bytes), bytes);
}

/* A zero that is off by rounding. */
static double clean(double tick, const thaw_axis *axis)
{
    return fabs(tick) < 1e-9 * (axis->high - axis->low) ? 0 : tick;
}

void thaw_chart_ticks_x(thaw_report_page *page, const thaw_axis *axis, double from, double to, thaw_tick_format *format)
{
    char field[THAW_FIELD_BYTES];
    for (size_t i = 0; i < axis->tick_count; i++) {
        const double tick = clean(axis->ticks[i], axis), x = thaw_axis_place(axis, tick);
        thaw_text_append(&page->text, "<path class=\"grid\" d=\"M%.2f %.2fV%.2f\"/>", x, from, to);
        thaw_text_append(&page->text, "<text class=\"tick x\" x=\"%.2f\" y=\"%.2f\" data-v=\"%.9g\">%s</text>\n", x,
                         to + 15, tick, format(field, tick));
    }
}

void thaw_chart_ticks_y(thaw_report_page *page, const thaw_axis *axis, double from, double to, thaw_tick_format *format)
{
    char field[THAW_FIELD_BYTES];
    for (size_t i = 0; i < axis->tick_count; i++) {
        const double tick = clean(axis->ticks[i], axis), y = thaw_axis_place(axis, tick);
        thaw_text_append(&page->text, "<path class=\"grid\" d=\"M%.2f %.2fH%.2f\"/>", from, y, to);
        thaw_text_append(&page->text, "<text class=\"tick y\" x=\"%.2f\" y=\"%.2f\" data-v=\"%.9g\">%s</text>\n",
                         from - 5, y + 4, tick, format(field, tick));
    }
}

thaw_axis thaw_chart_accuracies(const thaw_report_page *page, double begin, double end, size_t most)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < page->point_count; i++) {
        const thaw_report_point *point = &page->points[i];
        low = fmin(low, point->accuracy);
        high = fmax(high, isfinite(point->high) ? point->high : point->accuracy);
    }
    /* Cuts long intervals of points far below the others, and keeps all within the range of shares. */
    return thaw_axis_linear(fmax(low, 0), fmin(high, 1), begin, end, most);
}
