/* Accuracy of every pair of strategy and optimizer. */
#include "report/page.h"

enum { WIDTH = 420, NAMES = 122, PLOT = 128, ROW = 28, TOP = 26, STEPS = 7, WIDEST = 97 };

static double width_of(const thaw_report_page *page)
{
    const double width = (WIDTH - PLOT) / (double)page->optimizer_count;
    return width < WIDEST ? width : WIDEST;
}

/* By rank, so that what is tied has one colour: the first has the strongest, what has no rank the weakest. */
static size_t step_of(const thaw_report_page *page, const thaw_report_point *point)
{
    if (point->rank <= 0)
        return 0;
    const size_t behind = (size_t)(point->rank - 1) * STEPS / (page->point_count + 1);
    return behind < STEPS ? STEPS - 1 - behind : 0;
}

static void draw_square(thaw_report_page *page, const thaw_report_point *point, double x, double y, size_t step)
{
    char field[THAW_FIELD_BYTES];
    const double width = width_of(page);
    thaw_text *text = &page->text;
    thaw_text_append(text, "<g class=\"mark h%zu%s\" data-v=\"", step, point->rank == 1 ? " first" : "");
    thaw_markup_exact(text, point->accuracy);
    thaw_text_append(text, "\"");
    thaw_chart_identity(page, point);
    thaw_text_append(text, "><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"3\"/>", x + 1.5, y + 1.5,
                     width - 3, ROW - 3);
    thaw_text_append(text, "<text x=\"%.1f\" y=\"%.1f\">%s%s</text>", x + width / 2, y + ROW / 2.0 + 4.5,
                     thaw_format_percent(field, point->accuracy), point->rank == 1 && width > 60 ? " ●" : "");
    thaw_chart_title(page, point);
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

static void draw(thaw_report_page *page)
{
    thaw_text *text = &page->text;
    thaw_chart_open(page, "heat", "", "Test accuracy for each strategy and optimizer", WIDTH,
                    TOP + (double)page->strategy_count * ROW + 2);
    for (size_t o = 0; o < page->optimizer_count; o++) {
        thaw_text_append(text, "<text class=\"column\" x=\"%.1f\" y=\"%d\">", PLOT + ((double)o + 0.5) * width_of(page),
                         TOP - 8);
        thaw_markup_label(text, page->short_names[o], (size_t)(width_of(page) / 7));
        thaw_text_append(text, "</text>");
    }
    for (size_t s = 0; s < page->strategy_count; s++) {
        const double y = TOP + (double)s * ROW;
        thaw_text_append(text, "<text class=\"name\" x=\"%d\" y=\"%.1f\">", NAMES, y + ROW / 2.0 + 4.5);
        thaw_markup_label(text, thaw_report_strategy(page, s), 17);
        thaw_text_append(text, "</text>");
        for (size_t o = 0; o < page->optimizer_count; o++) {
            const thaw_report_point *point = thaw_report_find(page, s, o);
            const double x = PLOT + (double)o * width_of(page);
            if (point)
                draw_square(page, point, x, y, step_of(page, point));
            else
                draw_nothing(page, x, y);
        }
        thaw_text_append(text, "\n");
    }
    thaw_chart_close(page);
}

void thaw_report_heat_map(thaw_report_page *page)
{
    thaw_text_append(&page->text,
                     "<section id=\"matrix\"><h2>Strategy by optimizer</h2>\n"
                     "<p>Mean test accuracy in percent: the stronger the colour, the better the rank. What is tied has "
                     "one colour. A frame, and ● if there is room, marks first place.</p>\n"
                     "<div class=\"wide\">");
    draw(page);
    thaw_text_append(&page->text, "</div></section>\n");
}
