/* The notes of a model. */
#include <string.h>

#include "core/context.h"
#include "core/utf8.h"
#include "data/data_notes.h"
#include "graph/model.h"

const thaw_notes *thaw_model_notes(const thaw_model *model)
{
    return &model->notes;
}

thaw_status thaw_model_set_note(thaw_model *model, const char *name, const char *text)
{
    static const char *const written[] = { "format", "thaw.version", "thaw.adapters" };
    if (!name || !*name || !thaw_is_utf8(name) || (text && !thaw_is_utf8(text)))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "note \"%.100s\": name and text must be UTF-8%s",
                         name ? name : "", name && *name ? "" : ", and the name not empty");
    for (size_t i = 0; i < THAW_COUNT(written); i++)
        if (strcmp(name, written[i]) == 0)
            return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "note \"%s\": is always written, cannot be set",
                             name);
    return thaw_notes_put(&model->notes, name, text);
}

thaw_status thaw_model_note_data(thaw_model *model, const thaw_dataset *dataset)
{
    return thaw_dataset_write_notes(dataset, &model->notes);
}
