/* Loads a folder's weights: names as in a network with a head, without what has no use. */
#include <string.h>
#include <thaw/model.h>
#include <thaw/parameter.h>

#include "core/context.h"
#include "core/pattern.h"
#include "models/folder/folder.h"
#include "params/weights.h"

/* What a load finds out about the file. */
typedef struct loading {
    const thaw_model_folder *folder;
    thaw_model *model;
    bool has_head;
} loading;

static bool model_has(thaw_model *model, const char *pattern)
{
    bool found = false;
    for (size_t i = 0; i < thaw_model_parameter_count(model) && !found; i++)
        found = thaw_pattern_matches(pattern, thaw_parameter_name(thaw_model_parameter(model, i)));
    return found;
}

/* A network without a head leaves out the prefix. */
static thaw_status add_prefix(const thaw_folder_family *family, thaw_safetensors *file)
{
    bool has_prefix = !*family->prefix || !file->count;
    for (size_t i = 0; i < file->count && !has_prefix; i++)
        has_prefix = strncmp(file->tensors[i].name, family->prefix, strlen(family->prefix)) == 0;
    return has_prefix ? THAW_OK : thaw_safetensors_rename(file, "", family->prefix);
}

static thaw_status adapt(void *user, thaw_safetensors *file)
{
    loading *now = user;
    const thaw_model_folder *folder = now->folder;
    const thaw_folder_family *family = folder->family;
    thaw_status status = add_prefix(family, file);
    if (status == THAW_OK && family->text)
        status = thaw_safetensors_rename_ends(file, "LayerNorm.gamma", "LayerNorm.weight");
    if (status == THAW_OK && family->text)
        status = thaw_safetensors_rename_ends(file, "LayerNorm.beta", "LayerNorm.bias");
    if (family->ignored)
        thaw_safetensors_drop(file, family->ignored);
    for (size_t i = 0; i < file->count; i++)
        now->has_head |= thaw_pattern_matches(folder->head, file->tensors[i].name);
    if (!model_has(now->model, folder->head)) /* head=none */
        thaw_safetensors_drop(file, folder->head);
    return status;
}

/* Whether all of the names, separated by ", ", are of the head or new with it. */
static bool are_fresh(const thaw_model_folder *folder, const char *names)
{
    const char *further = folder->family->fresh;
    char name[256];
    for (const char *next = names; *next;) {
        const size_t length = strcspn(next, ",");
        if (length >= sizeof name)
            return false;
        memcpy(name, next, length);
        name[length] = '\0';
        if (!thaw_pattern_matches(folder->head, name) && !(further && thaw_pattern_matches(further, name)))
            return false;
        next += length;
        next += strspn(next, ", ");
    }
    return true;
}

thaw_status thaw_model_folder_load(const thaw_model_folder *folder, thaw_model *model, const thaw_load_options *options,
                                   thaw_load_result *result)
{
    thaw_context *context = thaw_model_context(model);
    loading now = { .folder = folder, .model = model };
    const thaw_weights_adaptation adaptation = { adapt, &now };
    thaw_load_options wanted = options ? *options : (thaw_load_options){ 0 };
    thaw_load_result found = { 0 };
    thaw_status status = thaw_weights_load_adapted(model, folder->weights, &adaptation, &wanted, &found);
    if (status == THAW_NOT_FOUND && !now.has_head && found.missing && !found.unexpected &&
        are_fresh(folder, found.missing_names)) {
        thaw_load_result_destroy(context, &found);
        wanted.allow_missing = true;
        status = thaw_weights_load_adapted(model, folder->weights, &adaptation, &wanted, &found);
        if (status == THAW_OK)
            thaw_log(context, THAW_LOG_INFO, "%s has no head: new with PyTorch's initial values: %s", folder->weights,
                     found.missing_names);
    }
    if (result)
        *result = found;
    else
        thaw_load_result_destroy(context, &found);
    return status;
}
