#include "data/table_samples.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "data/limit.h"

thaw_status thaw_table_drop(thaw_table *table, const bool *marked)
{
    const size_t before = table->rows;
    bool *stays = thaw_allocate_array(table->context, before, sizeof *stays);
    if (!stays)
        return THAW_OUT_OF_MEMORY;
    for (size_t row = 0; row < before; row++) {
        stays[row] = true;
        for (size_t column = 0; column < table->columns && stays[row]; column++)
            stays[row] = !marked[column] || !thaw_table_is_missing(thaw_table_cell(table, row, column));
    }
    thaw_table_keep(table, stays);
    thaw_release(table->context, stays);
    if (table->rows == 0)
        return thaw_fail(table->context, THAW_NOT_FOUND, "%s: each of its %zu rows lacks a value", table->path, before);
    if (table->rows < before)
        thaw_log(table->context, THAW_LOG_WARNING, "%s: left out %zu of %zu rows that lack a value", table->path,
                 before - table->rows, before);
    return THAW_OK;
}

/* ---- one cell ---- */

/* What is being filled. */
typedef struct filling {
    const thaw_table_form *form;
    const thaw_table *table;
    thaw_missing missing;
} filling;

static thaw_status read_number(const filling *f, size_t row, size_t column, double mean, double deviation, float *value)
{
    const char *cell = thaw_table_cell(f->table, row, column);
    double number;
    if (!thaw_table_number(cell, &number))
        return thaw_table_fail(f->table, row, column, "\"%.60s\", must be a number", cell);
    number = (number - mean) / deviation;
    if (!(fabs(number) <= (double)FLT_MAX))
        return thaw_table_fail(f->table, row, column, "\"%.60s\", is too large a number", cell);
    *value = (float)number;
    return THAW_OK;
}

static const char *drop_hint(const filling *f)
{
    return f->form->keeps_rows ? "" : "; missing=drop allows that";
}

static thaw_status fail_missing(const filling *f, size_t row, size_t column, const char *hint)
{
    return thaw_table_fail(f->table, row, column, "\"%.10s\" has no value%s", thaw_table_cell(f->table, row, column),
                           hint);
}

static thaw_status fill_input(const filling *f, size_t row, size_t column, const thaw_table_column *input, float *to)
{
    const char *cell = thaw_table_cell(f->table, row, column);
    if (thaw_table_is_missing(cell))
        return f->missing == THAW_MISSING_MEAN
                   ? THAW_OK
                   : fail_missing(f, row, column, "; missing=mean and missing=drop allow that");
    if (!input->categories)
        return read_number(f, row, column, input->mean, input->deviation, to);
    for (size_t i = 0; i < input->category_count; i++)
        if (strcmp(cell, input->categories[i]) == 0) {
            to[i] = 1;
            return THAW_OK;
        }
    return thaw_table_fail(f->table, row, column, "\"%.60s\" is none of the %zu categories of the training data", cell,
                           input->category_count);
}

/* ---- targets ---- */

typedef struct class_name {
    const char *name;
    int32_t label;
} class_name;

static int compare(const void *left, const void *right)
{
    return strcmp(((const class_name *)left)->name, ((const class_name *)right)->name);
}

static thaw_status fill_labels(const filling *f, size_t column, int32_t *labels)
{
    const thaw_words *names = &f->form->classes;
    class_name *classes = thaw_allocate_array(f->table->context, names->count, sizeof *classes);
    if (!classes)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < names->count; i++)
        classes[i] = (class_name){ names->items[i], (int32_t)i };
    qsort(classes, names->count, sizeof *classes, compare);
    thaw_status status = THAW_OK;
    for (size_t row = 0; row < f->table->rows && status == THAW_OK; row++) {
        const class_name wanted = { .name = thaw_table_cell(f->table, row, column) };
        const class_name *found = bsearch(&wanted, classes, names->count, sizeof *classes, compare);
        if (found)
            labels[row] = found->label;
        else if (thaw_table_is_missing(wanted.name))
            status = fail_missing(f, row, column, drop_hint(f));
        else
            status = thaw_table_fail(f->table, row, column, "\"%.60s\" is none of the %zu classes of the training data",
                                     wanted.name, names->count);
    }
    thaw_release(f->table->context, classes);
    return status;
}

static thaw_status fill_numbers(const filling *f, const size_t *columns, float *targets)
{
    const size_t count = f->form->labels.count;
    thaw_status status = THAW_OK;
    for (size_t row = 0; row < f->table->rows; row++)
        for (size_t i = 0; i < count && status == THAW_OK; i++) {
            float *to = &targets[row * count + i];
            status = thaw_table_is_missing(thaw_table_cell(f->table, row, columns[i]))
                         ? fail_missing(f, row, columns[i], drop_hint(f))
                         : read_number(f, row, columns[i], 0, 1, to);
            if (status == THAW_OK && f->form->task == THAW_TASK_LABELS && *to != 0 && *to != 1)
                status = thaw_table_fail(f->table, row, columns[i], "\"%.60s\", must be 0 or 1 for task=labels",
                                         thaw_table_cell(f->table, row, columns[i]));
        }
    return status;
}

/* ---- all ---- */

static thaw_status write_inputs(const filling *f, const size_t *columns, float *values)
{
    thaw_status status = THAW_OK;
    for (size_t row = 0; row < f->table->rows; row++)
        for (size_t i = 0; i < f->form->column_count && status == THAW_OK; i++) {
            const thaw_table_column *input = &f->form->columns[i];
            status = fill_input(f, row, columns[i], input, values);
            values += input->categories ? input->category_count : 1;
        }
    return status;
}

/* An array [rows, width]. */
static thaw_status reserve(const filling *f, size_t width, thaw_dtype dtype, thaw_tensor *array)
{
    thaw_context *context = f->table->context;
    const size_t rows = f->table->rows;
    size_t row_bytes;
    thaw_status status = THAW_OUT_OF_MEMORY;
    if (thaw_multiply_sizes(width, sizeof(float), &row_bytes))
        status = thaw_data_allow(context, f->table->path, rows, row_bytes);
    if (status != THAW_OK)
        return status;
    *array = (thaw_tensor){ .dtype = dtype,
                            .shape = { .rank = 2, .dims = { (int64_t)rows, (int64_t)width } },
                            .data = thaw_allocate_array(context, rows, row_bytes) };
    return array->data ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_table_fill_inputs(const thaw_table_form *form, const thaw_table *table, const size_t *columns,
                                   thaw_missing missing, thaw_samples *samples)
{
    const filling f = { .form = form, .table = table, .missing = missing };
    samples->sample_shape = (thaw_shape){ .rank = 1, .dims = { (int64_t)form->width } };
    const thaw_status status = reserve(&f, form->width, THAW_F32, &samples->inputs);
    return status == THAW_OK ? write_inputs(&f, columns, samples->inputs.data) : status;
}

thaw_status thaw_table_fill_targets(const thaw_table_form *form, const thaw_table *table, const size_t *columns,
                                    thaw_samples *samples)
{
    const filling f = { .form = form, .table = table };
    const bool classes = form->task == THAW_TASK_CLASSES;
    samples->task = form->task;
    samples->classes = classes ? form->classes.count : 0;
    const thaw_status status = reserve(&f, form->labels.count, classes ? THAW_I32 : THAW_F32, &samples->targets);
    if (status != THAW_OK)
        return status;
    samples->targets.shape.rank = classes ? 1 : 2;
    return classes ? fill_labels(&f, columns[0], samples->targets.data)
                   : fill_numbers(&f, columns, samples->targets.data);
}

thaw_status thaw_table_fill(const thaw_table_form *form, const thaw_table *table, const size_t *columns,
                            thaw_missing missing, thaw_samples *samples)
{
    const thaw_status status = thaw_table_fill_inputs(form, table, columns, missing, samples);
    return status == THAW_OK ? thaw_table_fill_targets(form, table, columns + form->column_count, samples) : status;
}
