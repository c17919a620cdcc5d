/* The classes of a folder's head. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "io/name_list.h"
#include "models/folder/folder.h"

/* transformers' names for classes without one. */
static bool is_placeholder(const char *name, size_t index)
{
    char text[32];
    snprintf(text, sizeof text, "LABEL_%zu", index);
    return strcmp(name, text) == 0;
}

/* id2label, {"0": "cat", "1": "dog"}, or timm's label_names, ["cat", "dog"]. NULL: no such text. */
static const char *name_at(const json_t *labels, size_t index)
{
    char key[32];
    snprintf(key, sizeof key, "%zu", index);
    return json_string_value(json_is_array(labels) ? json_array_get(labels, index) : json_object_get(labels, key));
}

static thaw_status note_names(thaw_model_folder *folder, const thaw_config *config, const json_t *labels)
{
    char *text = NULL;
    bool named = false;
    const size_t count = folder->classes;
    const char **names = thaw_allocate_array(folder->context, count, sizeof *names);
    if (!names)
        return THAW_OUT_OF_MEMORY;
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < count && status == THAW_OK; i++) {
        names[i] = name_at(labels, i);
        if (names[i])
            named |= !is_placeholder(names[i], i);
        else
            status =
                thaw_fail(folder->context, THAW_BAD_FORMAT, "%s: class %zu of %zu has no name", config->path, i, count);
    }
    if (status == THAW_OK && named)
        status = thaw_name_list_write(folder->context, names, count, &text);
    if (text)
        status = thaw_notes_put(&folder->notes, "thaw.classes", text);
    thaw_release(folder->context, text);
    thaw_release(folder->context, (void *)names);
    return status;
}

static thaw_status note_task(thaw_model_folder *folder, const thaw_config *config)
{
    static const char *const words[] = { "single_label_classification", "multi_label_classification", "regression",
                                         NULL };
    static const char *const tasks[] = { "classes", "labels", "regression" };
    size_t index;
    const thaw_status status = thaw_config_word(config, "problem_type", words, &index);
    return status == THAW_OK ? thaw_notes_put(&folder->notes, "thaw.task", tasks[index]) : status;
}

thaw_status thaw_folder_note_classes(thaw_model_folder *folder, const thaw_config *config)
{
    char number[24];
    const json_t *labels = json_object_get(config->root, "id2label");
    if (folder->family == &thaw_folder_timm)
        labels = json_object_get(config->root, "label_names");
    const size_t count = json_is_array(labels) ? json_array_size(labels) : json_object_size(labels);
    snprintf(number, sizeof number, "%zu", folder->classes);
    thaw_status status = thaw_notes_put(&folder->notes, "thaw.outputs", number);
    if (status == THAW_OK)
        status = note_task(folder, config);
    if (status != THAW_OK || !labels || json_is_null(labels))
        return status;
    if (count != folder->classes)
        return thaw_fail(folder->context, THAW_BAD_FORMAT, "%s: names %zu classes, but the weights have %zu",
                         config->path, count, folder->classes);
    return note_names(folder, config, labels);
}
