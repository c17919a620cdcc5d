#include "data/labelled_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <thaw/notes.h>
#include <unistd.h>

#include "core/allocation.h"
#include "core/context.h"
#include "core/open.h"
#include "data/dataset.h"
#include "data/described_targets.h"
#include "data/folder.h"
#include "data/image_form.h"
#include "data/image_source.h"
#include "data/labelled_rows.h"
#include "data/table_open.h"
#include "data/table_samples.h"
#include "io/name_list.h"

typedef struct labelled {
    thaw_description *from;
    thaw_table tables[2]; /* of the training and the test part */
    thaw_samples values[2];
    thaw_table_form form; /* of the targets */
    bool noted;           /* the targets are those of the notes */
    thaw_labelled_rows rows;
    int directory;
    char *labels; /* names of the columns, as thaw.labels */
} labelled;

/* ---- targets ---- */

static thaw_status find_column(const thaw_table *table, const char *name, size_t *column)
{
    *column = 0;
    if (!name || thaw_table_find(table, name, column))
        return THAW_OK;
    return thaw_fail(table->context, THAW_NOT_FOUND, "%s: has no column \"%.100s\"; the first of %zu is \"%.100s\"",
                     table->path, name, table->columns, thaw_table_name(table, 0));
}

/* The columns that are targets: by default the last. */
static thaw_status name_targets(labelled *set)
{
    const thaw_table *table = &set->tables[0];
    const thaw_table_wishes wishes = { .labels = set->from->table.labels };
    if (table->columns < 2)
        return thaw_fail(table->context, THAW_BAD_FORMAT, "%s: has one column, must have paths of images and labels",
                         table->path);
    thaw_status status = wishes.labels ? thaw_table_form_label(&set->form, table, &wishes)
                                       : thaw_words_add(&set->form.labels, thaw_table_name(table, table->columns - 1));
    if (status == THAW_OK)
        status = thaw_name_list_write(table->context, (const char *const *)set->form.labels.items,
                                      set->form.labels.count, &set->labels);
    const char *known = set->from->notes ? thaw_notes_find(set->from->notes, "thaw.labels") : NULL;
    set->noted = status == THAW_OK && known && strcmp(known, set->labels) == 0;
    return status;
}

/* The task of the description, or of the weights that the data are for, or by what the columns have. */
static thaw_table_wishes wishes_of(const labelled *set)
{
    thaw_table_wishes wishes = { .has_task = set->from->arrays.has_task, .task = set->from->arrays.task };
    const char *task = set->noted ? thaw_notes_find(set->from->notes, "thaw.task") : NULL;
    if (wishes.has_task || !task)
        return wishes;
    wishes.has_task = true;
    wishes.task = strcmp(task, "labels") == 0    ? THAW_TASK_LABELS
                  : strcmp(task, "classes") == 0 ? THAW_TASK_CLASSES
                                                 : THAW_TASK_REGRESSION;
    return wishes;
}

static thaw_status read_part(labelled *set, size_t part)
{
    const thaw_table *table = &set->tables[part];
    const bool classes = set->form.task == THAW_TASK_CLASSES;
    size_t file, *columns = thaw_allocate_array(table->context, set->form.labels.count, sizeof *columns);
    if (!columns)
        return THAW_OUT_OF_MEMORY;
    thaw_status status = thaw_table_form_find(&set->form, table, columns);
    if (status == THAW_OK)
        status = find_column(table, set->from->file_column, &file);
    for (size_t i = 0; i < set->form.labels.count && status == THAW_OK; i++)
        if (columns[i] == file)
            status =
                thaw_fail(table->context, THAW_INVALID_ARGUMENT, "%s: column \"%.100s\" is both the path and the label",
                          table->path, thaw_table_name(table, file));
    if (status == THAW_OK)
        status = thaw_table_fill_targets(&set->form, table, columns, &set->values[part]);
    thaw_release(table->context, columns);
    if (status != THAW_OK)
        return status;
    return thaw_labelled_rows_add(&set->rows, table, file, classes ? set->values[part].targets.data : NULL, part == 1);
}

static thaw_status read_tables(labelled *set)
{
    const thaw_description *from = set->from;
    thaw_status status = thaw_table_read_file(from, from->labels, &set->tables[0]);
    if (status == THAW_OK)
        status = name_targets(set);
    const thaw_table_wishes wishes = status == THAW_OK ? wishes_of(set) : (thaw_table_wishes){ 0 };
    if (status == THAW_OK)
        status = thaw_table_form_fit_targets(&set->form, &set->tables[0], &wishes);
    if (status == THAW_OK)
        status = read_part(set, 0);
    if (status == THAW_OK && from->table.test)
        status = thaw_table_read_file(from, from->table.test, &set->tables[1]);
    return status == THAW_OK && from->table.test ? read_part(set, 1) : status;
}

/* ---- data sets ---- */

/* The images of a part, and its targets that are numbers, in the same order. */
static thaw_status gather(const labelled *set, bool test, thaw_image_list *list, thaw_samples *part)
{
    const size_t columns = set->form.labels.count;
    thaw_status status = THAW_OK;
    part->task = set->form.task;
    if (part->task != THAW_TASK_CLASSES)
        part->targets.data = thaw_allocate_array(part->context, set->rows.count * columns, sizeof(float));
    if (part->task != THAW_TASK_CLASSES && !part->targets.data)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < set->rows.count && status == THAW_OK; i++) {
        const thaw_labelled_row *row = &set->rows.items[i];
        if (row->test != test)
            continue;
        const float *from = set->values[row->table == &set->tables[1]].targets.data;
        if (part->targets.data)
            memcpy((float *)part->targets.data + list->count * columns, from + row->row * columns,
                   columns * sizeof *from);
        status = thaw_image_list_add(list, row->name, row->stamp, row->label);
    }
    part->targets.shape = (thaw_shape){ .rank = 2, .dims = { (int64_t)list->count, (int64_t)columns } };
    if (!list->count) {
        thaw_release(part->context, part->targets.data);
        part->targets.data = NULL;
    }
    return status;
}

static thaw_status make(const labelled *set, bool trains, thaw_image_list *list, const thaw_samples *part,
                        thaw_dataset **dataset)
{
    const thaw_folder_options *options = &set->from->folder;
    const bool classes = part->task == THAW_TASK_CLASSES;
    const size_t repeat = set->from->selection.repeat;
    thaw_image_source_options source = {
        .path = set->from->directory,
        .directory = set->directory,
        .classes = classes ? set->form.classes.count : 1,
        .class_names = classes ? (const char *const *)set->form.classes.items : NULL,
        .targets = part->targets.data,
        .target_columns = classes ? 0 : set->form.labels.count,
        .repeat = trains && repeat ? repeat : 1,
        .views = trains ? (size_t)options->views : 0,
        .strict = options->fail_on_broken,
        .seed = options->seed ? options->seed : set->from->context->seed,
        .threads = options->threads,
        .form = { .size = (size_t)options->size,
                  .resize = (size_t)options->resize,
                  .channels = (size_t)options->channels,
                  .decode_fully = options->decode_fully },
    };
    thaw_sample_form_set_levels(&source.form, options->mean, options->std);
    thaw_status status = trains ? thaw_folder_augment(set->from->context, options, &source.augment) : THAW_OK;
    if (status == THAW_OK)
        status = thaw_image_source_create(set->from->context, list, &source, dataset);
    if (status != THAW_OK)
        return status;
    (*dataset)->form = thaw_image_form_of(options);
    (*dataset)->task = part->task;
    status = thaw_dataset_note_columns(*dataset, NULL, set->labels);
    return status == THAW_OK ? thaw_target_scale_copy(set->from->context, &part->scale, &(*dataset)->scale) : status;
}

static thaw_status make_parts(labelled *set, thaw_dataset **training, thaw_dataset **test)
{
    thaw_context *context = set->from->context;
    thaw_image_list lists[2] = { { .context = context }, { .context = context } };
    thaw_samples parts[2] = { { .context = context }, { .context = context } };
    thaw_status status = gather(set, false, &lists[0], &parts[0]);
    if (status == THAW_OK && !lists[0].count)
        status = thaw_fail(context, THAW_NOT_FOUND, "%s: lists no readable image to train on", set->from->labels);
    if (status == THAW_OK)
        status = gather(set, true, &lists[1], &parts[1]);
    if (status == THAW_OK)
        status = thaw_targets_scale(set->from,
                                    !set->noted && set->from->notes && thaw_notes_find(set->from->notes, "thaw.labels"),
                                    &parts[0], &parts[1]);
    if (status == THAW_OK && test && lists[1].count)
        status = make(set, false, &lists[1], &parts[1], test);
    if (status == THAW_OK && training)
        status = make(set, true, &lists[0], &parts[0], training);
    for (size_t i = 0; i < 2; i++) {
        thaw_dataset **made = i ? test : training;
        thaw_image_list_release(&lists[i]);
        thaw_samples_release(&parts[i]);
        if (status != THAW_OK && made) {
            thaw_dataset_destroy(*made);
            *made = NULL;
        }
    }
    return status;
}

/* ---- opening ---- */

static thaw_status open_labelled(labelled *set, thaw_dataset **training, thaw_dataset **test)
{
    thaw_description *from = set->from;
    const thaw_image_scan scan = { set->directory, from->directory, from->folder.fail_on_broken };
    thaw_status status = read_tables(set);
    if (status == THAW_OK)
        status = thaw_labelled_rows_check(&set->rows, &scan, from->skips_unlisted);
    if (status == THAW_OK)
        status =
            thaw_labelled_rows_split(&set->rows, from->table.test ? 0 : from->folder.validation, from->folder.seed);
    return status == THAW_OK ? make_parts(set, training, test) : status;
}

thaw_status thaw_labelled_folder_open(thaw_description *from, thaw_dataset **training, thaw_dataset **test)
{
    thaw_context *context = from->context;
    const thaw_words none = { .context = context };
    labelled set = {
        .from = from,
        .tables = { { .context = context }, { .context = context } },
        .values = { { .context = context }, { .context = context } },
        .form = { .context = context, .labels = none, .classes = none, .words = none, .keeps_rows = true },
        .rows = { .context = context },
    };
    thaw_status status = thaw_folder_complete(context, &from->folder);
    if (status != THAW_OK)
        return status;
    set.directory = thaw_open(AT_FDCWD, from->directory, O_RDONLY | O_DIRECTORY, 0);
    if (set.directory < 0)
        return thaw_fail(context, THAW_IO_ERROR, "%s: cannot be read: %s", from->directory, strerror(errno));
    status = open_labelled(&set, training, test);
    close(set.directory);
    for (size_t i = 0; i < 2; i++) {
        thaw_samples_release(&set.values[i]);
        thaw_table_release(&set.tables[i]);
    }
    thaw_table_form_release(&set.form);
    thaw_labelled_rows_release(&set.rows);
    thaw_release(context, set.labels);
    return status;
}

thaw_status thaw_dataset_open_labelled_folder(thaw_context *context, const char *path, const thaw_folder_labels *labels,
                                              const thaw_folder_options *options, thaw_dataset **training,
                                              thaw_dataset **test)
{
    thaw_description from = {
        .context = context,
        .name = "folder",
        .directory = path,
        .labels = labels->path,
        .file_column = labels->file,
        .skips_unlisted = labels->skip_unlisted,
        .table = { .labels = labels->columns,
                   .test = labels->test_path,
                   .delimiter = labels->delimiter,
                   .no_header = labels->no_header },
        .arrays = { .has_task = labels->has_task, .task = labels->task },
        .scale = labels->keep_numbers ? THAW_SCALE_NEVER : THAW_SCALE_USUAL,
    };
    if (training)
        *training = NULL;
    if (test)
        *test = NULL;
    if (options)
        from.folder = *options;
    return thaw_labelled_folder_open(&from, training, test);
}
