#include "data/table_noted.h"

#include <string.h>
#include <thaw/runtime.h>

#include "data/dataset.h"
#include "data/table_samples.h"
#include "io/name_list.h"

const char *const thaw_missing_words[3] = {
    [THAW_MISSING_ERROR] = "error", [THAW_MISSING_MEAN] = "mean", [THAW_MISSING_DROP] = "drop"
};

size_t thaw_table_noted_missing(const thaw_notes *notes)
{
    const char *text = notes ? thaw_notes_find(notes, "thaw.missing") : NULL;
    for (size_t i = 0; text && i < THAW_COUNT(thaw_missing_words); i++)
        if (strcmp(text, thaw_missing_words[i]) == 0)
            return i;
    return THAW_MISSING_ERROR;
}

bool thaw_table_is_noted(const thaw_notes *notes)
{
    return notes && thaw_notes_find(notes, "thaw.columns");
}

/* Without a text there are none. `what` names it in messages. */
static thaw_status read_words(const char *what, const char *text, thaw_words *words)
{
    char **names = NULL;
    size_t count = 0;
    thaw_context *context = words->context;
    thaw_status status = text ? thaw_name_list_read(context, what, text, &names, &count) : THAW_OK;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = thaw_words_add(words, names[i]);
    thaw_release(context, (void *)names);
    return status;
}

thaw_status thaw_dataset_categories(const thaw_dataset *dataset, thaw_category_column *columns, size_t capacity,
                                    size_t *count)
{
    const thaw_words none = { .context = dataset->context };
    thaw_table_form form = { .context = dataset->context, .words = none, .labels = none, .classes = none };
    size_t first = 0;
    *count = 0;
    if (!dataset->columns)
        return THAW_OK;
    thaw_status status = read_words("the columns", dataset->columns, &form.words);
    if (status == THAW_OK)
        status = thaw_table_form_read(&form, "the columns");
    for (size_t i = 0; i < form.column_count && status == THAW_OK; i++) {
        const size_t width = form.columns[i].categories ? form.columns[i].category_count : 1;
        if (form.columns[i].categories && (*count)++ < capacity)
            columns[*count - 1] = (thaw_category_column){ .first = first, .count = width };
        first += width;
    }
    thaw_table_form_release(&form);
    return status;
}

thaw_status thaw_table_read_noted(const thaw_notes *notes, thaw_table_form *form)
{
    const char *task = thaw_notes_find(notes, "thaw.task");
    thaw_status status = read_words("thaw.columns", thaw_notes_find(notes, "thaw.columns"), &form->words);
    if (status == THAW_OK)
        status = thaw_table_form_read(form, "thaw.columns");
    if (status == THAW_OK)
        status = read_words("thaw.labels", thaw_notes_find(notes, "thaw.labels"), &form->labels);
    if (status == THAW_OK)
        status = read_words("thaw.classes", thaw_notes_find(notes, "thaw.classes"), &form->classes);
    form->task = task && strcmp(task, "labels") == 0    ? THAW_TASK_LABELS
                 : task && strcmp(task, "classes") == 0 ? THAW_TASK_CLASSES
                                                        : THAW_TASK_REGRESSION;
    return status;
}
