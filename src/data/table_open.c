#include "data/table_open.h"

#include <string.h>
#include <thaw/notes.h>
#include <thaw/runtime.h>

#include "data/described_targets.h"
#include "data/table_noted.h"
#include "data/table_samples.h"
#include "data/unpack.h"
#include "io/name_list.h"

/* A table and its form under construction. */
typedef struct tables {
    thaw_description *from;
    thaw_table_form form;
    thaw_table_wishes wishes;
    thaw_table training, test;
    thaw_missing missing;
    size_t *columns;    /* of one of them, by thaw_table_form_find */
    bool new_targets;   /* not those that are noted */
    bool other_targets; /* the same, where some are noted */
    char *noted_columns, *noted_labels;
} tables;

static bool are_same(const thaw_words *one, const thaw_words *other)
{
    bool same = one->count == other->count;
    for (size_t i = 0; same && i < one->count; i++)
        same = strcmp(one->items[i], other->items[i]) == 0;
    return same;
}

/* The wishes' targets, or the noted ones. Other targets than those that are noted are new. */
static thaw_status find_targets(tables *set)
{
    thaw_table_form *form = &set->form;
    const thaw_words noted = form->labels;
    thaw_status status = THAW_OK;
    if (!set->wishes.labels && noted.count == 0)
        return thaw_fail(set->from->context, THAW_INVALID_ARGUMENT,
                         "%s: label=COLUMN is missing; it has %zu columns, from \"%.100s\" to \"%.100s\"",
                         set->training.path, set->training.columns, thaw_table_name(&set->training, 0),
                         thaw_table_name(&set->training, set->training.columns - 1));
    if (!set->wishes.labels)
        return THAW_OK;
    form->labels = (thaw_words){ .context = set->from->context };
    status = thaw_table_form_label(form, &set->training, &set->wishes);
    set->new_targets = !are_same(&noted, &form->labels);
    set->other_targets = set->new_targets && noted.count > 0;
    thaw_words_release(&(thaw_words){ .context = noted.context, .items = noted.items, .count = noted.count });
    return status;
}

/* ---- rows ---- */

/* Leaves out rows that lack a value in a column of the form, or in any that is not skipped if there is no form yet. */
static thaw_status drop(tables *set, thaw_table *table)
{
    thaw_context *context = table->context;
    bool *marked = thaw_allocate_array(context, table->columns, sizeof *marked);
    thaw_words skipped = { .context = context };
    thaw_status status = marked ? THAW_OK : THAW_OUT_OF_MEMORY;
    size_t column;
    if (status == THAW_OK && !set->form.columns && set->wishes.skipped)
        status = thaw_words_split(&skipped, set->wishes.skipped);
    for (size_t i = 0; i < table->columns && status == THAW_OK; i++)
        marked[i] = !set->form.columns;
    for (size_t i = 0; i < skipped.count && status == THAW_OK; i++)
        if (thaw_table_find(table, skipped.items[i], &column))
            marked[column] = false;
    if (status == THAW_OK && set->form.columns)
        status = thaw_table_form_find(&set->form, table, set->columns);
    for (size_t i = 0; i < set->form.column_count + set->form.labels.count && status == THAW_OK && set->columns; i++)
        marked[set->columns[i]] = true;
    if (status == THAW_OK)
        status = thaw_table_drop(table, marked);
    thaw_words_release(&skipped);
    thaw_release(context, marked);
    return status;
}

thaw_status thaw_table_read_file(const thaw_description *from, const char *path, thaw_table *table)
{
    const thaw_described_table *how = &from->table;
    const thaw_table_format format = { .delimiter = how->delimiter ? how->delimiter : ',',
                                       .no_header = how->no_header };
    thaw_unpacker *unpacker;
    thaw_status status = thaw_unpacker_open(from->context, path, &unpacker);
    if (status != THAW_OK)
        return status;
    const thaw_content content = thaw_unpacker_content(unpacker);
    status = thaw_table_read(table, &content, &format);
    thaw_unpacker_close(unpacker);
    return status;
}

static thaw_status reserve_columns(tables *set)
{
    set->columns =
        thaw_allocate_array(set->from->context, set->form.column_count + set->form.labels.count, sizeof *set->columns);
    return set->columns ? THAW_OK : THAW_OUT_OF_MEMORY;
}

/* Reads the training table, and makes the form of it, unless it is noted. *tests marks the rows of the test part. */
static thaw_status prepare(tables *set, bool **tests, size_t *test_count)
{
    const thaw_description *from = set->from;
    const bool noted = thaw_table_is_noted(from->notes), drops = set->missing == THAW_MISSING_DROP;
    thaw_status status = thaw_table_read_file(from, from->directory, &set->training);
    if (status == THAW_OK && noted)
        status = thaw_table_read_noted(from->notes, &set->form);
    if (status == THAW_OK)
        status = find_targets(set);
    if (status == THAW_OK && noted)
        status = reserve_columns(set);
    if (status == THAW_OK && drops)
        status = drop(set, &set->training);
    if (status == THAW_OK && from->split > 0 && !from->table.test)
        status = thaw_samples_draw(from->context, set->training.rows, from->split, from->seed, tests, test_count);
    if (status == THAW_OK && !noted)
        status = thaw_table_form_fit(&set->form, &set->training, &set->wishes, *tests);
    if (status == THAW_OK && (!noted || set->new_targets))
        status = thaw_table_form_fit_targets(&set->form, &set->training, &set->wishes);
    if (status == THAW_OK && !noted)
        status = reserve_columns(set);
    return status;
}

static thaw_status fill(tables *set, const thaw_table *table, thaw_samples *samples)
{
    const thaw_status status = thaw_table_form_find(&set->form, table, set->columns);
    if (status != THAW_OK)
        return status;
    return thaw_table_fill(&set->form, table, set->columns, set->missing, samples);
}

/* ---- data sets ---- */

static thaw_status write_words(const thaw_words *words, char **text)
{
    return thaw_name_list_write(words->context, (const char *const *)words->items, words->count, text);
}

/* What samples have of the form. */
static thaw_status note_form(tables *set, thaw_samples *all, thaw_samples *part)
{
    thaw_samples *const parts[] = { all, part };
    const thaw_table_form *form = &set->form;
    thaw_status status = write_words(&form->words, &set->noted_columns);
    if (status == THAW_OK)
        status = write_words(&form->labels, &set->noted_labels);
    for (size_t i = 0; i < THAW_COUNT(parts); i++) {
        parts[i]->class_names = form->task == THAW_TASK_CLASSES ? (const char *const *)form->classes.items : NULL;
        parts[i]->columns = set->noted_columns;
        parts[i]->labels = set->noted_labels;
        parts[i]->missing = set->missing == THAW_MISSING_ERROR ? NULL : thaw_missing_words[set->missing];
    }
    return status;
}

/* The scale of targets is that of the training part, unless it is noted. */
static bool needs_training_targets(const tables *set)
{
    return set->form.task == THAW_TASK_REGRESSION;
}

static thaw_status open_parts(tables *set, thaw_samples *all, thaw_samples *part, thaw_dataset **training,
                              thaw_dataset **test)
{
    const thaw_description *from = set->from;
    bool *tests = NULL;
    size_t test_count = 0;
    thaw_status status = prepare(set, &tests, &test_count);
    if (status == THAW_OK && (training || tests || needs_training_targets(set)))
        status = fill(set, &set->training, all);
    if (status == THAW_OK && tests)
        status = thaw_samples_move(all, tests, test_count, part);
    if (status == THAW_OK && test && from->table.test) {
        status = thaw_table_read_file(from, from->table.test, &set->test);
        if (status == THAW_OK && set->missing == THAW_MISSING_DROP)
            status = drop(set, &set->test);
        if (status == THAW_OK)
            status = fill(set, &set->test, part);
    }
    thaw_release(from->context, tests);
    if (status == THAW_OK)
        status = thaw_targets_scale(from, set->other_targets, all, part);
    if (status == THAW_OK)
        status = note_form(set, all, part);
    return status == THAW_OK ? thaw_description_make_parts(from, all, part, training, test) : status;
}

thaw_status thaw_table_open(thaw_description *from, thaw_dataset **training, thaw_dataset **test)
{
    thaw_context *context = from->context;
    const thaw_words none = { .context = context };
    thaw_samples all = { .context = context }, part = { .context = context };
    const bool given = thaw_description_gives(from, &thaw_described_csv, "missing");
    tables set = {
        .from = from,
        .missing = (thaw_missing)(given ? from->table.missing : thaw_table_noted_missing(from->notes)),
        .form = { .context = context, .labels = none, .classes = none, .words = none },
        .wishes = { .labels = from->table.labels,
                    .categories = from->table.categories,
                    .skipped = from->table.skipped,
                    .has_task = from->arrays.has_task,
                    .task = from->arrays.task },
        .training = { .context = context },
        .test = { .context = context },
    };
    const thaw_status status = open_parts(&set, &all, &part, training, test);
    thaw_samples_release(&all);
    thaw_samples_release(&part);
    thaw_table_release(&set.training);
    thaw_table_release(&set.test);
    thaw_table_form_release(&set.form);
    thaw_release(context, set.columns);
    thaw_release(context, set.noted_columns);
    thaw_release(context, set.noted_labels);
    return status;
}
