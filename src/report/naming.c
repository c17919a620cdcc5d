/* Names of configurations in sentences. */
#include "report/page.h"

void thaw_report_name(thaw_report_page *page, const thaw_report_point *point)
{
    thaw_text_append(&page->text, "<b>");
    thaw_markup_text(&page->text, thaw_report_strategy(page, point->strategy));
    thaw_text_append(&page->text, "</b>");
    if (page->optimizer_count > 1) {
        thaw_text_append(&page->text, " with ");
        thaw_markup_text(&page->text, page->short_names[point->optimizer]);
    }
}

size_t thaw_report_count(const thaw_report_page *page, thaw_report_selector *selects)
{
    size_t count = 0;
    for (size_t i = 0; i < page->point_count; i++)
        count += selects(&page->points[i]);
    return count;
}

/* "a, b and c", all with one optimizer. */
static void name_strategies(thaw_report_page *page, thaw_report_selector *selects, size_t optimizer, size_t count)
{
    size_t named = 0;
    for (size_t i = 0; i < page->point_count; i++) {
        const thaw_report_point *point = &page->points[i];
        if (point->optimizer != optimizer || !selects(point))
            continue;
        if (named)
            thaw_text_append(&page->text, named + 1 == count ? " and " : ", ");
        thaw_text_append(&page->text, "<b>");
        thaw_markup_text(&page->text, thaw_report_strategy(page, point->strategy));
        thaw_text_append(&page->text, "</b>");
        named++;
    }
}

/* "a and b with adam; c with sgd". */
void thaw_report_name_all(thaw_report_page *page, thaw_report_selector *selects)
{
    bool begun = false;
    for (size_t o = 0; o < page->optimizer_count; o++) {
        size_t count = 0;
        for (size_t i = 0; i < page->point_count; i++)
            count += page->points[i].optimizer == o && selects(&page->points[i]);
        if (count == 0)
            continue;
        if (begun)
            thaw_text_append(&page->text, "; ");
        name_strategies(page, selects, o, count);
        if (page->optimizer_count > 1) {
            thaw_text_append(&page->text, " with ");
            thaw_markup_text(&page->text, page->short_names[o]);
        }
        begun = true;
    }
    if (!begun)
        thaw_text_append(&page->text, "none");
}
