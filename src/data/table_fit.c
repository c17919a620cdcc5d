/* Makes a form of a table: which columns are numbers, which are categories, and what the targets are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "data/table_form.h"

/* Whole numbers with more values than this are taken for regression. */
enum { MOST_GUESSED_CLASSES = 20, MOST_CLASSES = 65536 };

/* ---- one column ---- */

static bool is_numeric(const thaw_table *table, size_t column)
{
    double value;
    for (size_t row = 0; row < table->rows; row++) {
        const char *cell = thaw_table_cell(table, row, column);
        if (!thaw_table_is_missing(cell) && !thaw_table_number(cell, &value))
            return false;
    }
    return true;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int compare_numbers(const void *left, const void *right)
{
    double one = 0, other = 0;
    thaw_table_number(*(const char *const *)left, &one);
    thaw_table_number(*(const char *const *)right, &other);
    return one < other ? -1 : one > other ? 1 : compare_texts(left, right);
}

/* The different values of a column, in order; the caller frees *values. */
static thaw_status list_values(const thaw_table *table, size_t column, bool numeric, const char ***values,
                               size_t *count)
{
    const char **all = thaw_allocate_array(table->context, table->rows + 1, sizeof *all);
    size_t given = 0, kept = 0;
    *values = all;
    if (!all)
        return THAW_OUT_OF_MEMORY;
    for (size_t row = 0; row < table->rows; row++) {
        const char *cell = thaw_table_cell(table, row, column);
        if (!thaw_table_is_missing(cell))
            all[given++] = cell;
    }
    qsort(all, given, sizeof *all, numeric ? compare_numbers : compare_texts);
    for (size_t i = 0; i < given; i++)
        if (i == 0 || strcmp(all[i], all[kept - 1]) != 0)
            all[kept++] = all[i];
    *count = kept;
    return THAW_OK;
}

static thaw_status fail_column(const thaw_table *table, size_t column, const char *fault)
{
    return thaw_fail(table->context, THAW_BAD_FORMAT, "%s: column %zu (%.100s) %s", table->path, column + 1,
                     thaw_table_name(table, column), fault);
}

/* ---- inputs ---- */

static thaw_status fit_number(thaw_table_form *form, const thaw_table *table, size_t column, const bool *tests)
{
    double sum = 0, squares = 0, value;
    size_t count = 0;
    for (size_t row = 0; row < table->rows; row++)
        if (!(tests && tests[row]) && thaw_table_number(thaw_table_cell(table, row, column), &value)) {
            sum += value;
            count++;
        }
    if (count == 0)
        return fail_column(table, column, "has no value in the training part; skip=NAME leaves it out");
    const double mean = sum / (double)count;
    for (size_t row = 0; row < table->rows; row++)
        if (!(tests && tests[row]) && thaw_table_number(thaw_table_cell(table, row, column), &value))
            squares += (value - mean) * (value - mean);
    const double deviation = sqrt(squares / (double)count);
    if (!isfinite(mean) || !isfinite(deviation))
        return fail_column(table, column, "has values whose mean or deviation overflows");
    thaw_status status = thaw_words_add(&form->words, "number");
    if (status == THAW_OK)
        status = thaw_words_add_number(&form->words, mean);
    if (status == THAW_OK)
        status = thaw_words_add_number(&form->words, deviation > 0 ? deviation : 1);
    return status;
}

static thaw_status fit_category(thaw_table_form *form, const thaw_table *table, size_t column)
{
    const char **values;
    size_t count = 0;
    thaw_status status = list_values(table, column, false, &values, &count);
    if (status == THAW_OK && count == 0)
        status = fail_column(table, column, "has no value; skip=NAME leaves it out");
    if (status == THAW_OK && count > THAW_MOST_CATEGORIES)
        status = fail_column(table, column, "has text with more than 256 different values; skip=NAME leaves it out");
    if (status == THAW_OK)
        status = thaw_words_add(&form->words, "category");
    if (status == THAW_OK)
        status = thaw_words_add_number(&form->words, (double)count);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = thaw_words_add(&form->words, values[i]);
    thaw_release(table->context, (void *)values);
    return status;
}

/* Marks the columns that a list names. */
static thaw_status mark(const thaw_table *table, const char *list, unsigned char bit, unsigned char *marks)
{
    thaw_words names = { .context = table->context };
    size_t column;
    thaw_status status = list ? thaw_words_split(&names, list) : THAW_OK;
    for (size_t i = 0; i < names.count && status == THAW_OK; i++) {
        status = thaw_table_require(table, names.items[i], &column);
        if (status == THAW_OK)
            marks[column] |= bit;
    }
    thaw_words_release(&names);
    return status;
}

enum { TARGET = 1, SKIPPED = 2, CATEGORY = 4 };

static thaw_status fit_inputs(thaw_table_form *form, const thaw_table *table, const thaw_table_wishes *wishes,
                              const bool *tests, unsigned char *marks)
{
    size_t column;
    thaw_status status = mark(table, wishes->skipped, SKIPPED, marks);
    if (status == THAW_OK)
        status = mark(table, wishes->categories, CATEGORY, marks);
    for (size_t i = 0; i < form->labels.count; i++)
        if (thaw_table_find(table, form->labels.items[i], &column))
            marks[column] |= TARGET;
    for (column = 0; column < table->columns && status == THAW_OK; column++) {
        size_t first;
        if (marks[column] & (TARGET | SKIPPED))
            continue;
        if (thaw_table_find(table, thaw_table_name(table, column), &first) && first != column)
            return fail_column(table, column, "has the name of a column before it");
        status = thaw_words_add(&form->words, thaw_table_name(table, column));
        if (status == THAW_OK && !(marks[column] & CATEGORY) && is_numeric(table, column))
            status = fit_number(form, table, column, tests);
        else if (status == THAW_OK)
            status = fit_category(form, table, column);
    }
    return status == THAW_OK ? thaw_table_form_read(form, table->path) : status;
}

/* ---- targets ---- */

static bool is_whole(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Whether a column has the numbers 0 and 1 alone. */
static bool is_binary(const thaw_table *table, size_t column)
{
    for (size_t row = 0; row < table->rows; row++) {
        double value;
        const char *cell = thaw_table_cell(table, row, column);
        if (!thaw_table_number(cell, &value) || (value != 0 && value != 1))
            return false;
    }
    return true;
}

static thaw_task guess_several(const thaw_table_form *form, const thaw_table *table)
{
    size_t column;
    bool binary = true;
    for (size_t i = 0; i < form->labels.count && binary; i++)
        binary = thaw_table_find(table, form->labels.items[i], &column) && is_binary(table, column);
    return binary ? THAW_TASK_LABELS : THAW_TASK_REGRESSION;
}

static thaw_task guess_one(const char *const *values, size_t count, bool numeric)
{
    bool whole = count <= MOST_GUESSED_CLASSES;
    for (size_t i = 0; i < count && whole; i++)
        whole = is_whole(values[i]);
    return numeric && !whole ? THAW_TASK_REGRESSION : THAW_TASK_CLASSES;
}

static thaw_status fit_one(thaw_table_form *form, const thaw_table *table, const thaw_table_wishes *wishes)
{
    const char **values;
    size_t count = 0, column = 0;
    thaw_table_find(table, form->labels.items[0], &column);
    const bool numeric = is_numeric(table, column);
    thaw_status status = list_values(table, column, numeric, &values, &count);
    if (status == THAW_OK)
        form->task = wishes->has_task ? wishes->task : guess_one(values, count, numeric);
    const bool classes = status == THAW_OK && form->task == THAW_TASK_CLASSES;
    if (classes && (count == 0 || count > MOST_CLASSES))
        status = fail_column(table, column, count ? "has more than 65536 classes" : "has no value");
    for (size_t i = 0; i < count && classes && status == THAW_OK; i++)
        status = thaw_words_add(&form->classes, values[i]);
    thaw_release(table->context, (void *)values);
    return status;
}

thaw_status thaw_table_form_fit_targets(thaw_table_form *form, const thaw_table *table, const thaw_table_wishes *wishes)
{
    thaw_words_release(&form->classes);
    if (form->labels.count == 1)
        return fit_one(form, table, wishes);
    form->task = wishes->has_task ? wishes->task : guess_several(form, table);
    if (form->task == THAW_TASK_CLASSES)
        return thaw_fail(table->context, THAW_INVALID_ARGUMENT, "%s: task=classes has %zu labels, must have one",
                         table->path, form->labels.count);
    return THAW_OK;
}

thaw_status thaw_table_form_fit(thaw_table_form *form, const thaw_table *table, const thaw_table_wishes *wishes,
                                const bool *tests)
{
    unsigned char *marks = thaw_allocate(table->context, table->columns);
    const thaw_status status = marks ? fit_inputs(form, table, wishes, tests, marks) : THAW_OUT_OF_MEMORY;
    thaw_release(table->context, marks);
    return status;
}
