#include "report/measured_curves.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "report/measured.h"

enum { PANEL_WIDTH = 200, PANEL_HEIGHT = 160, PANEL_LEFT = 36, PANEL_RIGHT = 192, PANEL_TOP = 24, PANEL_BOTTOM = 124 };
enum { MOST_LINES = 6, SIZES = 3 /* that make a curve */ };

typedef struct dot {
    double size, share;
    size_t place; /* in the list */
} dot;

static const json_t *at(const thaw_report_page *page, size_t index)
{
    return json_array_get(page->measurements, index);
}

bool thaw_measured_is_curve(const thaw_report_page *page, const thaw_measured_groups *things, size_t first)
{
    const double threads = thaw_report_number(at(page, first), "threads");
    size_t sizes = 0;
    for (size_t i = first; i != THAW_NO_MEASUREMENT; i = things->next[i])
        sizes += thaw_report_number(at(page, i), "size") > 0 && thaw_report_number(at(page, i), "threads") == threads;
    return isfinite(thaw_measured_share(at(page, first))) && sizes >= SIZES;
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

static int compare(const void *left, const void *right)
{
    const dot *one = left, *other = right;
    if (one->size != other->size)
        return one->size < other->size ? -1 : 1;
    return (one->place > other->place) - (one->place < other->place);
}

/* The dots of a number of threads by size, and of each size only the first. Returns how many there are. */
static size_t list_dots(const thaw_report_page *page, const thaw_measured_groups *things, size_t first, double threads,
                        dot *dots)
{
    size_t count = 0, kept = 0;
    for (size_t i = first; i != THAW_NO_MEASUREMENT; i = things->next[i]) {
        const json_t *one = at(page, i);
        const double size = thaw_report_number(one, "size");
        if (size > 0 && thaw_report_number(one, "threads") == threads)
            dots[count++] = (dot){ size, thaw_measured_share(one), i };
    }
    qsort(dots, count, sizeof *dots, compare);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || dots[i].size != dots[kept - 1].size)
            dots[kept++] = dots[i];
    return kept;
}

static void draw_curve(thaw_report_page *page, const dot *dots, size_t count, double threads, const thaw_axis *x,
                       const thaw_axis *y, size_t look)
{
    thaw_text *text = &page->text;
    thaw_text_append(text, "<path class=\"line o%zu\" d=\"", look);
    for (size_t i = 0; i < count; i++)
        thaw_text_append(text, "%c%.2f %.2f", i ? 'L' : 'M', thaw_axis_place(x, dots[i].size),
                         thaw_axis_place(y, dots[i].share));
    thaw_text_append(text, "\"/>");
    for (size_t i = 0; i < count; i++) {
        thaw_text_append(text, "<circle class=\"mark dot o%zu\" r=\"2.4\" cx=\"%.2f\" cy=\"%.2f\" data-v=\"", look,
                         thaw_axis_place(x, dots[i].size), thaw_axis_place(y, dots[i].share));
        thaw_markup_exact(text, dots[i].share);
        thaw_text_append(text, "\"/>");
    }
    thaw_text_append(text, "\n<text class=\"end o%zu\" x=\"%.1f\" y=\"%.1f\">%.0f thread%s</text>", look,
                     thaw_axis_place(x, dots[0].size), thaw_axis_place(y, dots[0].share) + (look % 2 ? 14 : -7),
                     threads, threads == 1 ? "" : "s");
}

static void draw_lines(thaw_report_page *page, const thaw_measured_groups *things, size_t first, const thaw_axis *x,
                       const thaw_axis *y, dot *dots)
{
    double drawn[MOST_LINES];
    size_t lines = 0;
    for (size_t i = first; i != THAW_NO_MEASUREMENT && lines < MOST_LINES; i = things->next[i]) {
        const double threads = thaw_report_number(at(page, i), "threads");
        bool done = isnan(threads) || !(thaw_report_number(at(page, i), "size") > 0);
        for (size_t k = 0; k < lines && !done; k++)
            done = drawn[k] == threads;
        if (done)
            continue;
        drawn[lines] = threads;
        const size_t count = list_dots(page, things, first, threads, dots);
        draw_curve(page, dots, count, threads, x, y, lines++);
    }
}

static void draw_frame(thaw_report_page *page, const json_t *like, const thaw_axis *x, const thaw_axis *y)
{
    thaw_chart_open(page, "panel scaling", "", "Share of the limit's speed by size and threads", PANEL_WIDTH,
                    PANEL_HEIGHT);
    thaw_text_append(&page->text, "<text class=\"heading\" x=\"%d\" y=\"13\">", PANEL_LEFT);
    thaw_markup_label(&page->text, thaw_report_string(like, "what"), 25);
    thaw_text_append(&page->text, "</text>\n");
    thaw_chart_ticks_y(page, y, PANEL_LEFT, PANEL_RIGHT, format_share);
    thaw_chart_ticks_x(page, x, PANEL_TOP, PANEL_BOTTOM, format_size);
    thaw_text_append(&page->text, "<text class=\"axis\" x=\"%d\" y=\"%d\">", PANEL_RIGHT, PANEL_BOTTOM + 30);
    thaw_markup_label(&page->text, thaw_report_string(like, "size_unit"), 20);
    thaw_text_append(&page->text, "</text>");
}

void thaw_measured_draw_curves(thaw_report_page *page, const thaw_measured_groups *things, size_t first)
{
    double low = INFINITY, high = 0, most = 0;
    size_t members = 0;
    for (size_t i = first; i != THAW_NO_MEASUREMENT; i = things->next[i], members++) {
        low = fmin(low, thaw_report_number(at(page, i), "size"));
        high = fmax(high, thaw_report_number(at(page, i), "size"));
        most = fmax(most, thaw_measured_share(at(page, i)));
    }
    dot *dots = thaw_allocate_array(page->context, members, sizeof *dots);
    if (!dots) {
        page->text.failed = true;
        return;
    }
    const thaw_axis x = thaw_axis_logarithmic(low, high, PANEL_LEFT, PANEL_RIGHT);
    const thaw_axis y = thaw_axis_linear(0, fmax(most, 1), PANEL_BOTTOM, PANEL_TOP, 4);
    draw_frame(page, at(page, first), &x, &y);
    draw_lines(page, things, first, &x, &y, dots);
    thaw_chart_close(page);
    thaw_release(page->context, dots);
}
