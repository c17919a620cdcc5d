#include "data/table_form.h"

#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "core/number.h"

void thaw_table_form_release(thaw_table_form *form)
{
    thaw_words_release(&form->labels);
    thaw_words_release(&form->classes);
    thaw_words_release(&form->words);
    thaw_release(form->context, form->columns);
    form->columns = NULL;
}

/* ---- reading the columns ---- */

static bool read_column(thaw_table_form *form, size_t *at, thaw_table_column *column)
{
    const thaw_words *words = &form->words;
    double count;
    if (words->count - *at < 3)
        return false;
    *column = (thaw_table_column){ .name = words->items[*at] };
    const char *kind = words->items[*at + 1], *third = words->items[*at + 2];
    *at += 3;
    if (strcmp(kind, "number") == 0 && *at < words->count) {
        const char *fourth = words->items[(*at)++];
        return thaw_parse_number(third, strlen(third), &column->mean) &&
               thaw_parse_number(fourth, strlen(fourth), &column->deviation) && column->deviation > 0;
    }
    if (strcmp(kind, "category") != 0 || !thaw_parse_number(third, strlen(third), &count) || count < 1 ||
        count > THAW_MOST_CATEGORIES || count != floor(count) || (size_t)count > words->count - *at)
        return false;
    column->category_count = (size_t)count;
    column->categories = (const char *const *)words->items + *at;
    *at += column->category_count;
    return true;
}

thaw_status thaw_table_form_read(thaw_table_form *form, const char *what)
{
    form->columns = thaw_allocate_array(form->context, form->words.count / 3 + 1, sizeof *form->columns);
    if (!form->columns)
        return THAW_OUT_OF_MEMORY;
    for (size_t at = 0; at < form->words.count;) {
        thaw_table_column *column = &form->columns[form->column_count++];
        if (!read_column(form, &at, column))
            return thaw_fail(form->context, THAW_BAD_FORMAT,
                             "%s: column %zu must have a name, and mean and deviation or categories", what,
                             form->column_count);
        form->width += column->categories ? column->category_count : 1;
    }
    if (form->width == 0)
        return thaw_fail(form->context, THAW_BAD_FORMAT, "%s: has no column for inputs", what);
    return THAW_OK;
}

/* ---- finding them in a table ---- */

thaw_status thaw_table_form_find(const thaw_table_form *form, const thaw_table *table, size_t *columns)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < form->column_count && status == THAW_OK; i++)
        status = thaw_table_require(table, form->columns[i].name, columns++);
    for (size_t i = 0; i < form->labels.count && status == THAW_OK; i++)
        status = thaw_table_require(table, form->labels.items[i], columns++);
    return status;
}

thaw_status thaw_table_form_label(thaw_table_form *form, const thaw_table *table, const thaw_table_wishes *wishes)
{
    thaw_words given = { .context = form->context };
    size_t column;
    thaw_status status = thaw_words_split(&given, wishes->labels);
    for (size_t i = 0; i < given.count && status == THAW_OK; i++) {
        status = thaw_table_require(table, given.items[i], &column);
        if (status == THAW_OK)
            status = thaw_words_add(&form->labels, thaw_table_name(table, column));
    }
    thaw_words_release(&given);
    return status;
}
