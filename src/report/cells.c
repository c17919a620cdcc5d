#include "report/cells.h"

void thaw_report_text_cell(thaw_report_page *page, const char *key, const char *raw)
{
    thaw_text_append(&page->text, "<td data-c=\"%s\" data-v=\"", key);
    thaw_markup_text(&page->text, raw);
    thaw_text_append(&page->text, "\">");
    thaw_markup_label(&page->text, raw, 34);
    thaw_text_append(&page->text, "</td>");
}

void thaw_report_number_cell(thaw_report_page *page, const char *key, double value, const char *shown)
{
    thaw_text_append(&page->text, "<td class=\"number\" data-c=\"%s\" data-v=\"", key);
    thaw_markup_exact(&page->text, value);
    thaw_text_append(&page->text, "\">%s</td>", shown);
}

void thaw_report_count_cell(thaw_report_page *page, const char *key, double count)
{
    char field[THAW_FIELD_BYTES];
    thaw_report_number_cell(page, key, count, thaw_format_count(field, count));
}

void thaw_report_table_open(thaw_report_page *page, const char *id, const char *label,
                            const thaw_report_column *columns, size_t count)
{
    thaw_text_append(&page->text,
                     "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\"><table "
                     "class=\"sortable\" id=\"%s\"><thead><tr>",
                     label, id);
    for (size_t i = 0; i < count; i++)
        thaw_text_append(&page->text,
                         "<th scope=\"col\"%s data-c=\"%s\"><button type=\"button\" title=\"%s\">%s</button></th>",
                         columns[i].number ? " class=\"number\"" : "", columns[i].key, columns[i].explanation,
                         columns[i].title);
    thaw_text_append(&page->text, "</tr></thead><tbody>\n");
}
