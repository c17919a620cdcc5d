/* Every pair of strategy and optimizer: its accuracy, and the time to the target. */
#include <math.h>
#include <stdio.h>

#include "report/page.h"

enum {
    WIDTH = 420,
    NAMES = 122,
    PLOT = 128,
    ROW = 28,
    TOP = 26,
    STEPS = 7,
    WIDEST = 97,
    DOT = 18 /* of the first place */
};

/* What a map shows of a point. */
typedef struct heat {
    const char *kind, *label;
    double narrow; /* a column's width below which its text is smaller */
    int (*rank)(const thaw_report_point *point);
    double (*value)(const thaw_report_point *point); /* the exact figure */
    void (*print)(thaw_report_page *page, const thaw_report_point *point);
    void (*title)(thaw_report_page *page, const thaw_report_point *point);
} heat;

/* The longer list makes the rows. */
static bool is_turned(const thaw_report_page *page)
{
    return page->optimizer_count > page->strategy_count;
}

static size_t count_columns(const thaw_report_page *page)
{
    return is_turned(page) ? page->strategy_count : page->optimizer_count;
}

static size_t count_rows(const thaw_report_page *page)
{
    return is_turned(page) ? page->optimizer_count : page->strategy_count;
}

static double width_of(const thaw_report_page *page)
{
    const double width = (WIDTH - PLOT) / (double)count_columns(page);
    return width < WIDEST ? width : WIDEST;
}

static void write_name(thaw_report_page *page, bool strategy, size_t index, size_t most)
{
    thaw_markup_label(&page->text, strategy ? thaw_report_strategy(page, index) : page->short_names[index], most);
}

/* By rank, so that what is tied has one colour: the first has the strongest, what has no rank the weakest. */
static size_t step_of(const thaw_report_page *page, int rank)
{
    if (rank <= 0)
        return 0;
    const size_t behind = (size_t)(rank - 1) * STEPS / (page->point_count + 1);
    return behind < STEPS ? STEPS - 1 - behind : 0;
}

static void draw_square(thaw_report_page *page, const heat *map, const thaw_report_point *point, double x, double y)
{
    const double width = width_of(page);
    const int rank = map->rank(point);
    thaw_text *text = &page->text;
    thaw_text_append(text, "<g class=\"mark h%zu%s\" data-v=\"", step_of(page, rank), rank == 1 ? " first" : "");
    thaw_markup_exact(text, map->value(point));
    thaw_text_append(text, "\"");
    thaw_chart_identity(page, point);
    thaw_text_append(text, "><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"3\"/>", x + 1.5, y + 1.5,
                     width - 3, ROW - 3);
    thaw_text_append(text, "<text x=\"%.1f\" y=\"%.1f\"", x + width / 2, y + ROW / 2.0 + 4.5);
    if (width < map->narrow)
        thaw_text_append(text, " style=\"font-size:%.1fpx\"", 12.5 * width / map->narrow);
    thaw_text_append(text, ">");
    map->print(page, point);
    thaw_text_append(text, "%s</text>", rank == 1 && width > map->narrow + DOT ? " ●" : "");
    map->title(page, point);
    thaw_text_append(text, "</g>");
}

static void draw_nothing(thaw_report_page *page, double x, double y)
{
    const double width = width_of(page);
    thaw_text_append(&page->text,
                     "<g class=\"lost\"><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"3\"/><text "
                     "x=\"%.1f\" y=\"%.1f\">%s</text></g>",
                     x + 1.5, y + 1.5, width - 3, ROW - 3, x + width / 2, y + ROW / 2.0 + 4.5,
                     width > 60 ? "no result" : "–");
}

static void draw(thaw_report_page *page, const heat *map)
{
    thaw_text *text = &page->text;
    const bool turned = is_turned(page);
    thaw_chart_open(page, map->kind, "", map->label, WIDTH, TOP + (double)count_rows(page) * ROW + 2);
    for (size_t c = 0; c < count_columns(page); c++) {
        thaw_text_append(text, "<text class=\"column\" x=\"%.1f\" y=\"%d\">", PLOT + ((double)c + 0.5) * width_of(page),
                         TOP - 8);
        write_name(page, turned, c, (size_t)(width_of(page) / 7));
        thaw_text_append(text, "</text>");
    }
    for (size_t r = 0; r < count_rows(page); r++) {
        const double y = TOP + (double)r * ROW;
        thaw_text_append(text, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", NAMES, y + ROW / 2.0 + 4.5);
        write_name(page, !turned, r, 17);
        thaw_text_append(text, "</text>");
        for (size_t c = 0; c < count_columns(page); c++) {
            const thaw_report_point *point = thaw_report_find(page, turned ? c : r, turned ? r : c);
            const double x = PLOT + (double)c * width_of(page);
            if (point)
                draw_square(page, map, point, x, y);
            else
                draw_nothing(page, x, y);
        }
        thaw_text_append(text, "\n");
    }
    thaw_chart_close(page);
}

/* ---------------------------------------------------------------- accuracy */

static int rank_of(const thaw_report_point *point)
{
    return point->rank;
}

static double accuracy_of(const thaw_report_point *point)
{
    return point->accuracy;
}

static void print_accuracy(thaw_report_page *page, const thaw_report_point *point)
{
    char field[THAW_FIELD_BYTES];
    thaw_text_append(&page->text, "%s", thaw_format_percent(field, point->accuracy));
}

void thaw_report_heat_map(thaw_report_page *page)
{
    static const heat map = {
        "heat",          "Test accuracy for each strategy and optimizer", 42, rank_of, accuracy_of, print_accuracy,
        thaw_chart_title
    };
    thaw_text_append(&page->text,
                     "<section id=\"matrix\"><h2>Strategy by optimizer</h2>\n"
                     "<p>Mean test accuracy in percent: the stronger the colour, the better the rank. What is tied has "
                     "one colour. A frame, and ● if there is room, marks first place.</p>\n"
                     "<div class=\"wide\">");
    draw(page, &map);
    thaw_text_append(&page->text, "</div></section>\n");
}

/* ---------------------------------------------------------------- time to the target */

static int rank_by_time(const thaw_report_point *point)
{
    return thaw_report_reach_of(point, false).rank;
}

static double time_of(const thaw_report_point *point)
{
    return thaw_report_reach_of(point, false).mean;
}

static void print_time(thaw_report_page *page, const thaw_report_point *point)
{
    const thaw_report_reach reach = thaw_report_reach_of(point, false);
    char field[THAW_REACH_BYTES];
    thaw_markup_text(&page->text, thaw_report_format_reach(field, &reach, false));
}

static void title_of_time(thaw_report_page *page, const thaw_report_point *point)
{
    const thaw_report_reach reach = thaw_report_reach_of(point, false);
    thaw_text_append(&page->text, "<title>");
    thaw_markup_text(&page->text, thaw_report_strategy(page, point->strategy));
    thaw_text_append(&page->text, ", ");
    thaw_markup_text(&page->text, page->short_names[point->optimizer]);
    thaw_text_append(&page->text, ": %.0f of %.0f runs reached the target</title>", reach.reached, reach.runs);
}

void thaw_report_target_matrix(thaw_report_page *page)
{
    static const heat map = {
        "heat target-heat", "Time to the target for each strategy and optimizer", 68, rank_by_time, time_of, print_time,
        title_of_time
    };
    thaw_text_append(&page->text,
                     "<h3>Strategy by optimizer</h3>\n<p>The stronger the colour, the earlier; what is tied has one "
                     "colour, and a frame marks first place. With &gt;, some runs never reached it.</p>\n"
                     "<div class=\"wide\">");
    draw(page, &map);
    thaw_text_append(&page->text, "</div>\n");
}
