/* What a folder tells, once it is open. */
#include "models/folder/folder.h"

void thaw_model_folder_destroy(thaw_model_folder *folder)
{
    if (!folder)
        return;
    thaw_context *context = folder->context;
    thaw_notes_clear(&folder->notes);
    thaw_release(context, folder->path);
    thaw_release(context, folder->weights);
    thaw_release(context, folder->head);
    thaw_release(context, folder);
}

const char *thaw_model_folder_description(const thaw_model_folder *folder)
{
    return thaw_notes_find(&folder->notes, "thaw.model");
}

size_t thaw_model_folder_classes(const thaw_model_folder *folder)
{
    return folder->classes;
}

const thaw_notes *thaw_model_folder_notes(const thaw_model_folder *folder)
{
    return &folder->notes;
}

const char *thaw_model_folder_tokenizer(const thaw_model_folder *folder)
{
    return folder->tokenizer ? folder->path : NULL;
}

size_t thaw_model_folder_length(const thaw_model_folder *folder)
{
    return folder->length;
}

const char *thaw_model_folder_weights(const thaw_model_folder *folder)
{
    return folder->weights;
}
