/* Accuracy against time and against memory, with the Pareto front. */
#include <math.h>
#include <string.h>

#include "report/page.h"

enum { WIDTH = 420, HEIGHT = 340, LEFT = 44, RIGHT = 408, TOP = 14, BOTTOM = 292 };
/* With more points than MOST_LABELLED, only those on the front are labelled. */
enum { MOST_BOXES = 400, MOST_LABELLED = 14 };

typedef struct cost {
    const char *id, *caption, *unit, *front; /* `front`: the flag in the JSON */
    bool memory;
    thaw_tick_format *format;
} cost;

/* Space that is already taken. */
typedef struct box {
    double left, top, right, bottom;
} box;

typedef struct chart {
    const cost *of;
    thaw_axis x, y;
    box *boxes;
    size_t box_count;
} chart;

static double cost_of(const chart *drawn, const thaw_report_point *point)
{
    return drawn->of->memory ? point->bytes : point->seconds;
}

static bool on_front(const chart *drawn, const thaw_report_point *point)
{
    return thaw_report_true(point->configuration, drawn->of->front);
}

static bool is_drawn(const chart *drawn, const thaw_report_point *point)
{
    return cost_of(drawn, point) > 0 && isfinite(point->accuracy);
}

/* ---------------------------------------------------------------- labels */

static bool is_free(const chart *drawn, const box *wanted)
{
    if (wanted->left < LEFT || wanted->right > RIGHT + 8 || wanted->top < TOP - 8 || wanted->bottom > BOTTOM)
        return false;
    for (size_t i = 0; i < drawn->box_count; i++) {
        const box *taken = &drawn->boxes[i];
        if (wanted->left < taken->right && wanted->right > taken->left && wanted->top < taken->bottom &&
            wanted->bottom > taken->top)
            return false;
    }
    return true;
}

static void take(chart *drawn, box taken)
{
    if (drawn->box_count < MOST_BOXES)
        drawn->boxes[drawn->box_count++] = taken;
}

/* Writes the strategy's name beside the point if there is space, or not at all. */
static void label(thaw_report_page *page, chart *drawn, const thaw_report_point *point)
{
    const char *name = thaw_report_strategy(page, point->strategy);
    const size_t length = strlen(name) < 17 ? strlen(name) : 17;
    const double width = (on_front(drawn, point) ? 7.8 : 6.4) * (double)length; /* those on the front are bold */
    const double x = thaw_axis_place(&drawn->x, cost_of(drawn, point));
    const double y = thaw_axis_place(&drawn->y, point->accuracy);
    const struct {
        double x, y;
        const char *anchor;
        double left;
    } places[] = { { x + 8, y + 4, "start", x + 8 },       { x - 8, y + 4, "end", x - 8 - width },
                   { x + 5, y - 9, "start", x + 5 },       { x + 5, y + 17, "start", x + 5 },
                   { x - 5, y - 9, "end", x - 5 - width }, { x - 5, y + 17, "end", x - 5 - width },
                   { x, y - 22, "middle", x - width / 2 }, { x, y + 30, "middle", x - width / 2 } };
    for (size_t i = 0; i < THAW_COUNT(places); i++) {
        const box wanted = { places[i].left, places[i].y - 10, places[i].left + width, places[i].y + 3 };
        if (!is_free(drawn, &wanted))
            continue;
        take(drawn, wanted);
        thaw_text_append(&page->text, "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">",
                         on_front(drawn, point) ? "label" : "label quiet", places[i].anchor, places[i].x, places[i].y);
        thaw_markup_label(&page->text, name, 17);
        thaw_text_append(&page->text, "</text>");
        return;
    }
}

/* ---------------------------------------------------------------- points */

static thaw_axis axis_of_costs(const thaw_report_page *page, const chart *drawn)
{
    double low = INFINITY, high = 0;
    for (size_t i = 0; i < page->point_count; i++) {
        if (!is_drawn(drawn, &page->points[i]))
            continue;
        low = fmin(low, cost_of(drawn, &page->points[i]));
        high = fmax(high, cost_of(drawn, &page->points[i]));
    }
    return thaw_axis_logarithmic(low, high, LEFT + 8, RIGHT);
}

static void draw_whisker(thaw_report_page *page, const thaw_axis *axis, const thaw_report_point *point, double x)
{
    const double low = thaw_axis_place(axis, point->low), high = thaw_axis_place(axis, point->high);
    thaw_text_append(&page->text, "<g class=\"whisker o%zu\"><path d=\"M%.2f %.2fV%.2f\"/>", point->optimizer % 6, x,
                     low, high);
    if (point->low < axis->low)
        thaw_chart_beyond(page, x, low, 0, 1);
    thaw_text_append(&page->text, "</g>");
}

static void draw_point(thaw_report_page *page, chart *drawn, const thaw_report_point *point)
{
    const double x = thaw_axis_place(&drawn->x, cost_of(drawn, point));
    const double y = thaw_axis_place(&drawn->y, point->accuracy);
    if (isfinite(point->low))
        draw_whisker(page, &drawn->y, point, x);
    thaw_chart_shape(page, point, x, y, on_front(drawn, point) ? "front" : "behind");
    thaw_chart_title(page, point);
    thaw_chart_shape_close(page);
    thaw_text_append(&page->text, "\n");
    take(drawn, (box){ x - 5, y - 5, x + 5, y + 5 });
}

/* The front as steps: the accuracy that each cost buys. */
static void draw_front(thaw_report_page *page, const chart *drawn)
{
    double at = 0, y = 0;
    bool begun = false;
    for (;;) {
        const thaw_report_point *next = NULL;
        for (size_t i = 0; i < page->point_count; i++) {
            const thaw_report_point *point = &page->points[i];
            if (is_drawn(drawn, point) && on_front(drawn, point) && cost_of(drawn, point) > at &&
                (!next || cost_of(drawn, point) < cost_of(drawn, next)))
                next = point;
        }
        if (!next)
            break;
        at = cost_of(drawn, next);
        const double x = thaw_axis_place(&drawn->x, at);
        y = thaw_axis_place(&drawn->y, next->accuracy);
        thaw_text_append(&page->text, begun ? "H%.2fV%.2f" : "<path class=\"steps\" d=\"M%.2f %.2f", x, y);
        begun = true;
    }
    if (begun)
        thaw_text_append(&page->text, "H%d\"/>\n", RIGHT);
}

static void draw(thaw_report_page *page, chart *drawn)
{
    thaw_chart_open(page, drawn->of->id, drawn->of->caption, drawn->of->caption, WIDTH, HEIGHT);
    drawn->y = thaw_chart_accuracies(page, BOTTOM, TOP, 6);
    drawn->x = axis_of_costs(page, drawn);
    drawn->box_count = 0;
    thaw_chart_ticks_y(page, &drawn->y, LEFT, RIGHT, thaw_tick_percent);
    thaw_chart_ticks_x(page, &drawn->x, TOP, BOTTOM, drawn->of->format);
    thaw_text_append(&page->text, "<text class=\"axis\" x=\"%d\" y=\"%d\">%s</text>\n", RIGHT, BOTTOM + 33,
                     drawn->of->unit);
    draw_front(page, drawn);
    for (size_t i = page->point_count; i-- > 0;)
        if (is_drawn(drawn, &page->points[i]))
            draw_point(page, drawn, &page->points[i]);
    for (int front = 1; front >= (page->point_count > MOST_LABELLED); front--)
        for (size_t i = 0; i < page->point_count; i++)
            if (is_drawn(drawn, &page->points[i]) && on_front(drawn, &page->points[i]) == front)
                label(page, drawn, &page->points[i]);
    thaw_chart_close(page);
}

void thaw_report_fronts(thaw_report_page *page)
{
    static const cost costs[] = {
        { "pareto-time", "Accuracy against time", "median time of an epoch", "pareto_time", false, thaw_tick_seconds },
        { "pareto-memory", "Accuracy against memory", "memory of training", "pareto_memory", true, thaw_tick_bytes },
    };
    box *boxes = thaw_allocate_array(page->context, MOST_BOXES, sizeof *boxes);
    page->text.failed = page->text.failed || !boxes;
    if (page->point_count == 0 || !boxes) {
        thaw_release(page->context, boxes);
        return;
    }
    thaw_text_append(&page->text,
                     "<section id=\"fronts\"><h2>What accuracy costs</h2>\n"
                     "<p>Percent of test samples that are classified correctly. The stepped line joins the "
                     "configurations that nothing beats in both: up and to the left is better. The line uses means; "
                     "vertical lines are 95\u202F%% intervals, with an arrow where one goes on below the axis.</p>\n");
    thaw_chart_key(page);
    thaw_text_append(&page->text, "<div class=\"wide\">");
    for (size_t i = 0; i < THAW_COUNT(costs); i++) {
        chart drawn = { .of = &costs[i], .boxes = boxes };
        draw(page, &drawn);
    }
    thaw_text_append(&page->text, "</div></section>\n");
    thaw_release(page->context, boxes);
}
