/* Cells of sortable tables. */
#ifndef THAW_REPORT_CELLS_H
#define THAW_REPORT_CELLS_H

#include "report/page.h"

/* A cell of the column `key`. A long text is cut; the whole is what it sorts by. */
void thaw_report_text_cell(thaw_report_page *page, const char *key, const char *raw);

/* A number that sorts by its value. `shown` is markup. */
void thaw_report_number_cell(thaw_report_page *page, const char *key, double value, const char *shown);
void thaw_report_count_cell(thaw_report_page *page, const char *key, double count);

typedef struct thaw_report_column {
    const char *key, *title, *explanation;
    bool number;
} thaw_report_column;

/* Opens a table with its head; the caller writes rows and then </tbody></table></div>. */
void thaw_report_table_open(thaw_report_page *page, const char *id, const char *label,
                            const thaw_report_column *columns, size_t count);

#endif
