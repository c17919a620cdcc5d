/* The notes of a model. */
#include <string.h>

#include "core/context.h"
#include "core/utf8.h"
#include "data/dataset.h"
#include "data/image_form.h"
#include "graph/model.h"
#include "io/name_list.h"

const thaw_notes *thaw_model_notes(const thaw_model *model)
{
    return &model->notes;
}

static bool is_utf8(const char *text)
{
    uint32_t code;
    size_t bytes = 1;
    for (const char *at = text; *at && bytes; at += bytes)
        bytes = thaw_utf8_read(at, &code);
    return bytes > 0;
}

thaw_status thaw_model_set_note(thaw_model *model, const char *name, const char *text)
{
    static const char *const written[] = { "format", "thaw.version", "thaw.adapters" };
    if (!name || !*name || !is_utf8(name) || (text && !is_utf8(text)))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "note \"%.100s\": name and text must be UTF-8%s",
                         name ? name : "", name && *name ? "" : ", and the name not empty");
    for (size_t i = 0; i < THAW_COUNT(written); i++)
        if (strcmp(name, written[i]) == 0)
            return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "note \"%s\": is always written, cannot be set",
                             name);
    return thaw_notes_put(&model->notes, name, text);
}

/* Class names as a text; *text is NULL if there are none, or not in UTF-8. */
static thaw_status list_classes(thaw_context *context, const thaw_source *source, char **text)
{
    *text = NULL;
    for (size_t i = 0; source->class_names && i < source->classes; i++) {
        if (is_utf8(source->class_names[i]))
            continue;
        thaw_log(context, THAW_LOG_WARNING, "class \"%.200s\" is not UTF-8: files of weights will not name the classes",
                 source->class_names[i]);
        return THAW_OK;
    }
    return source->class_names ? thaw_name_list_write(context, source->class_names, source->classes, text) : THAW_OK;
}

static thaw_status put_columns(thaw_model *model, const char *note, const char *columns)
{
    if (!columns || is_utf8(columns))
        return thaw_notes_put(&model->notes, note, columns);
    thaw_log(model->context, THAW_LOG_WARNING, "the table is not UTF-8: files of weights will not have its %s", note);
    return thaw_notes_put(&model->notes, note, NULL);
}

static thaw_status put_texts(thaw_model *model, const thaw_text_form *form)
{
    char *text, *tokenizer;
    thaw_status status = thaw_text_form_write(model->context, form, &text, &tokenizer);
    const bool is_clean = status == THAW_OK && (!text || (is_utf8(text) && is_utf8(tokenizer)));
    if (status == THAW_OK && !is_clean)
        thaw_log(model->context, THAW_LOG_WARNING,
                 "tokenizer %s: the path or a column is not UTF-8: files of weights will not tell how to read texts",
                 form->tokenizer);
    if (status == THAW_OK)
        status = thaw_notes_put(&model->notes, "thaw.text", is_clean ? text : NULL);
    if (status == THAW_OK)
        status = thaw_notes_put(&model->notes, "thaw.tokenizer", is_clean ? tokenizer : NULL);
    thaw_release(model->context, text);
    thaw_release(model->context, tokenizer);
    return status;
}

thaw_status thaw_model_note_data(thaw_model *model, const thaw_dataset *dataset)
{
    static const char *const tasks[] = {
        [THAW_TASK_CLASSES] = "classes",
        [THAW_TASK_LABELS] = "labels",
        [THAW_TASK_REGRESSION] = "regression",
        [THAW_TASK_TOKENS] = "tokens",
    };
    thaw_context *context = model->context;
    char *classes, *images = NULL, *targets = NULL;
    thaw_status status = list_classes(context, &dataset->source, &classes);
    if (status == THAW_OK && dataset->form.size)
        status = thaw_image_form_write(context, &dataset->form, &images);
    if (status == THAW_OK)
        status = thaw_target_scale_write(context, &dataset->scale, &targets);
    if (status == THAW_OK)
        status = thaw_notes_put(&model->notes, "thaw.task", tasks[thaw_dataset_task(dataset)]);
    if (status == THAW_OK)
        status = thaw_notes_put(&model->notes, "thaw.classes", classes);
    if (status == THAW_OK)
        status = thaw_notes_put(&model->notes, "thaw.images", images);
    if (status == THAW_OK)
        status = put_columns(model, "thaw.columns", dataset->columns);
    if (status == THAW_OK)
        status = put_columns(model, "thaw.labels", dataset->label_columns);
    if (status == THAW_OK)
        status = thaw_notes_put(&model->notes, "thaw.missing", dataset->missing);
    if (status == THAW_OK)
        status = thaw_notes_put(&model->notes, "thaw.targets", targets);
    if (status == THAW_OK)
        status = put_texts(model, &dataset->texts);
    thaw_release(context, classes);
    thaw_release(context, images);
    thaw_release(context, targets);
    return status;
}
