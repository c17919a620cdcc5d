#include "data/data_notes.h"

#include "core/context.h"
#include "core/utf8.h"
#include "data/dataset.h"
#include "data/image_form.h"
#include "io/name_list.h"
#include "io/notes.h"

/* Class names as a text; *text is NULL if there are none, or not in UTF-8. */
static thaw_status list_classes(thaw_context *context, const thaw_source *source, char **text)
{
    *text = NULL;
    for (size_t i = 0; source->class_names && i < source->classes; i++) {
        if (thaw_is_utf8(source->class_names[i]))
            continue;
        thaw_log(context, THAW_LOG_WARNING, "class \"%.200s\" is not UTF-8: files of weights will not name the classes",
                 source->class_names[i]);
        return THAW_OK;
    }
    return source->class_names ? thaw_name_list_write(context, source->class_names, source->classes, text) : THAW_OK;
}

static thaw_status put_columns(thaw_notes *notes, const char *note, const char *columns)
{
    if (!columns || thaw_is_utf8(columns))
        return thaw_notes_put(notes, note, columns);
    thaw_log(notes->context, THAW_LOG_WARNING, "the table is not UTF-8: files of weights will not have its %s", note);
    return thaw_notes_put(notes, note, NULL);
}

static thaw_status put_texts(thaw_notes *notes, const thaw_text_form *form)
{
    char *text, *tokenizer;
    thaw_status status = thaw_text_form_write(notes->context, form, &text, &tokenizer);
    const bool is_clean = status == THAW_OK && (!text || (thaw_is_utf8(text) && thaw_is_utf8(tokenizer)));
    if (status == THAW_OK && !is_clean)
        thaw_log(notes->context, THAW_LOG_WARNING,
                 "tokenizer %s: the path or a column is not UTF-8: files of weights will not tell how to read texts",
                 form->tokenizer);
    if (status == THAW_OK)
        status = thaw_notes_put(notes, "thaw.text", is_clean ? text : NULL);
    if (status == THAW_OK)
        status = thaw_notes_put(notes, "thaw.tokenizer", is_clean ? tokenizer : NULL);
    thaw_release(notes->context, text);
    thaw_release(notes->context, tokenizer);
    return status;
}

thaw_status thaw_dataset_write_notes(const thaw_dataset *dataset, thaw_notes *notes)
{
    static const char *const tasks[] = {
        [THAW_TASK_CLASSES] = "classes",
        [THAW_TASK_LABELS] = "labels",
        [THAW_TASK_REGRESSION] = "regression",
        [THAW_TASK_TOKENS] = "tokens",
    };
    thaw_context *context = notes->context;
    char *classes, *images = NULL, *targets = NULL;
    thaw_status status = list_classes(context, &dataset->source, &classes);
    if (status == THAW_OK && dataset->form.size)
        status = thaw_image_form_write(context, &dataset->form, &images);
    if (status == THAW_OK)
        status = thaw_target_scale_write(context, &dataset->scale, &targets);
    if (status == THAW_OK)
        status = thaw_notes_put(notes, "thaw.task", tasks[thaw_dataset_task(dataset)]);
    if (status == THAW_OK)
        status = thaw_notes_put(notes, "thaw.classes", classes);
    if (status == THAW_OK)
        status = thaw_notes_put(notes, "thaw.images", images);
    if (status == THAW_OK)
        status = put_columns(notes, "thaw.columns", dataset->columns);
    if (status == THAW_OK)
        status = put_columns(notes, "thaw.labels", dataset->label_columns);
    if (status == THAW_OK)
        status = thaw_notes_put(notes, "thaw.missing", dataset->missing);
    if (status == THAW_OK)
        status = thaw_notes_put(notes, "thaw.targets", targets);
    if (status == THAW_OK)
        status = put_texts(notes, &dataset->texts);
    thaw_release(context, classes);
    thaw_release(context, images);
    thaw_release(context, targets);
    return status;
}

/* Those of the description that are for tests, or else all of them. */
static thaw_status open_tests(thaw_context *context, const thaw_notes *notes, const char *description,
                              thaw_dataset **dataset)
{
    const thaw_status status = thaw_dataset_open_noted(context, notes, description, NULL, dataset);
    return status == THAW_OK && !*dataset ? thaw_dataset_open_noted(context, notes, description, dataset, NULL)
                                          : status;
}

/* Whether images become samples in the same way. */
static thaw_status check_form(const thaw_dataset *dataset, const thaw_dataset *like)
{
    char found[THAW_FORM_BYTES], wanted[THAW_FORM_BYTES];
    if (!dataset->form.size || !like->form.size || !thaw_image_form_differs(&dataset->form, &like->form, found, wanted))
        return THAW_OK;
    return thaw_fail(dataset->context, THAW_INVALID_ARGUMENT, "its images have %s, those of the training data %s",
                     found, wanted);
}

thaw_status thaw_dataset_open_like(thaw_context *context, const char *description, const thaw_dataset *like,
                                   thaw_dataset **dataset)
{
    thaw_notes notes = { .context = context };
    char *completed = NULL;
    *dataset = NULL;
    thaw_status status = thaw_dataset_write_notes(like, &notes);
    if (status == THAW_OK)
        status = thaw_notes_complete(&notes, description, &completed);
    if (status == THAW_OK)
        status = open_tests(context, &notes, completed, dataset);
    if (status == THAW_OK)
        status = check_form(*dataset, like);
    if (status != THAW_OK) {
        thaw_dataset_destroy(*dataset);
        *dataset = NULL;
    }
    thaw_text_destroy(context, completed);
    thaw_notes_clear(&notes);
    return status;
}
