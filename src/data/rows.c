#include "data/rows.h"

#include <string.h>
#include <thaw/runtime.h>

#include "core/allocation.h"
#include "data/array_samples.h"
#include "data/description.h"
#include "data/table_noted.h"
#include "data/table_open.h"
#include "data/table_samples.h"
#include "data/unpack.h"
#include "io/notes.h"

/* What is being read. */
typedef struct reading {
    thaw_description from;
    thaw_table table;
    thaw_table_form form;
    size_t *columns;
} reading;

static const char *after(const char *text, const char *begin)
{
    const size_t length = strlen(begin);
    return strncmp(text, begin, length) == 0 ? text + length : NULL;
}

/* Whether the path before the options ends so. */
static bool ends_with(const char *text, const char *end)
{
    const size_t length = strcspn(text, ";"), tail = strlen(end);
    return length >= tail && strncmp(text + length - tail, end, tail) == 0;
}

static bool is_array(const char *text)
{
    return after(text, "npy:") || (!after(text, "csv:") && (ends_with(text, ".npy") || ends_with(text, ".npy.gz")));
}

bool thaw_rows_are_described(const char *text)
{
    return is_array(text) || after(text, "csv:") || ends_with(text, ".csv") || ends_with(text, ".csv.gz") ||
           ends_with(text, ".tsv") || ends_with(text, ".tsv.gz");
}

/* ---- tables ---- */

/* Leaves out rows that lack a value in a column of the form. */
static thaw_status drop(reading *r)
{
    bool *marked = thaw_allocate_array(r->from.context, r->table.columns, sizeof *marked);
    if (!marked)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < r->form.column_count; i++)
        marked[r->columns[i]] = true;
    const thaw_status status = thaw_table_drop(&r->table, marked);
    thaw_release(r->from.context, marked);
    return status;
}

static thaw_status copy_lines(const thaw_table *table, size_t **lines)
{
    *lines = thaw_allocate_array(table->context, table->rows, sizeof **lines);
    if (!*lines)
        return THAW_OUT_OF_MEMORY;
    memcpy(*lines, table->lines + 1, table->rows * sizeof **lines);
    return THAW_OK;
}

static thaw_status find_columns(reading *r)
{
    r->columns = thaw_allocate_array(r->from.context, r->form.column_count, sizeof *r->columns);
    return r->columns ? thaw_table_form_find(&r->form, &r->table, r->columns) : THAW_OUT_OF_MEMORY;
}

static thaw_status read_table(reading *r, thaw_samples *samples, size_t **lines)
{
    const bool given = thaw_description_gives(&r->from, &thaw_described_csv, "missing");
    const size_t missing = given ? r->from.table.missing : thaw_table_noted_missing(r->from.notes);
    if (!thaw_table_is_noted(r->from.notes))
        return thaw_fail(r->from.context, THAW_UNSUPPORTED,
                         "%s: the weights note no columns of a table, since they were trained on something else",
                         r->from.directory);
    thaw_status status = thaw_table_read_file(&r->from, r->from.directory, &r->table);
    if (status == THAW_OK)
        status = thaw_table_read_noted(r->from.notes, &r->form);
    thaw_words_release(&r->form.labels);
    if (status == THAW_OK)
        status = find_columns(r);
    if (status == THAW_OK && missing == THAW_MISSING_DROP)
        status = drop(r);
    if (status == THAW_OK)
        status = thaw_table_fill_inputs(&r->form, &r->table, r->columns, (thaw_missing)missing, samples);
    return status == THAW_OK ? copy_lines(&r->table, lines) : status;
}

/* ---- arrays ---- */

/* Scales the columns of an array as those of the table in training. */
static thaw_status scale(reading *r, thaw_samples *samples)
{
    const thaw_table_form *form = &r->form;
    const size_t width = form->column_count, count = thaw_shape_count(&samples->inputs.shape);
    for (size_t i = 0; i < width; i++)
        if (form->columns[i].categories)
            return thaw_fail(r->from.context, THAW_UNSUPPORTED,
                             "%s: the weights were trained with categories in the column \"%.100s\", so that rows must "
                             "be in a table, not in an array",
                             r->from.directory, form->columns[i].name);
    if (samples->sample_shape.rank != 1 || samples->sample_shape.dims[0] != (int64_t)width)
        return thaw_fail(r->from.context, THAW_SHAPE_MISMATCH,
                         "%s: has %zu numbers a row, must have %zu, the columns of the table in training",
                         r->from.directory, thaw_shape_count(&samples->sample_shape), width);
    float *values = samples->inputs.data;
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(((double)values[i] - form->columns[i % width].mean) / form->columns[i % width].deviation);
    return THAW_OK;
}

static thaw_status read_array(reading *r, thaw_samples *samples)
{
    const thaw_array_form form = { .has_layout = r->from.arrays.has_layout,
                                   .channels_first = r->from.arrays.channels_first };
    thaw_unpacker *unpacker;
    thaw_status status = thaw_unpacker_open(r->from.context, r->from.directory, &unpacker);
    if (status != THAW_OK)
        return status;
    const thaw_content content = thaw_unpacker_content(unpacker);
    status = thaw_array_read_inputs(&content, &form, samples);
    thaw_unpacker_close(unpacker);
    if (status == THAW_OK && thaw_table_is_noted(r->from.notes))
        status = thaw_table_read_noted(r->from.notes, &r->form);
    return status == THAW_OK && r->form.columns ? scale(r, samples) : status;
}

/* ---- both ---- */

static thaw_status parse(reading *r, const char *text, bool array)
{
    const thaw_described_set *set = array ? &thaw_described_npy : &thaw_described_csv;
    const char *rest = after(text, array ? "npy:" : "csv:");
    if (!rest && !array && (ends_with(text, ".tsv") || ends_with(text, ".tsv.gz")))
        r->from.table.delimiter = '\t';
    r->from.name = set->name;
    r->from.text = thaw_copy_text(r->from.context, rest ? rest : text);
    if (!r->from.text)
        return THAW_OUT_OF_MEMORY;
    char *options = r->from.text;
    r->from.directory = strsep(&options, ";");
    return thaw_description_parse_options(&r->from, set, options);
}

thaw_status thaw_rows_read(const thaw_notes *notes, const char *text, thaw_samples *samples, size_t **lines)
{
    thaw_context *context = samples->context;
    const thaw_words none = { .context = context };
    const bool array = is_array(text);
    reading r = {
        .from = { .context = context, .notes = notes },
        .table = { .context = context },
        .form = { .context = context, .labels = none, .classes = none, .words = none },
    };
    *lines = NULL;
    thaw_status status = parse(&r, text, array);
    if (status == THAW_OK)
        status = array ? read_array(&r, samples) : read_table(&r, samples, lines);
    if (status != THAW_OK)
        thaw_samples_release(samples);
    thaw_table_release(&r.table);
    thaw_table_form_release(&r.form);
    thaw_release(context, r.columns);
    thaw_description_release(&r.from);
    return status;
}
