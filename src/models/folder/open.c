#include <jansson.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/zoo.h>

#include "core/allocation.h"
#include "core/nearest.h"
#include "core/pattern.h"
#include "io/json_file.h"
#include "io/safetensors.h"
#include "models/folder/folder.h"

static const thaw_folder_family *const families[] = { &thaw_folder_bert, &thaw_folder_distilbert, &thaw_folder_gpt2,
                                                      &thaw_folder_vit, &thaw_folder_dinov2 };

/* ---------------------------------------------------------------- the network */

static thaw_status find_family(thaw_model_folder *folder, const thaw_config *config)
{
    const char *names[THAW_COUNT(families)];
    const json_t *type = json_object_get(config->root, "model_type");
    folder->family = &thaw_folder_timm;
    if (!type && json_object_get(config->root, "architecture"))
        return THAW_OK;
    if (!json_is_string(type))
        return thaw_config_refuse(config, THAW_BAD_FORMAT, "model_type", type,
                                  "a text, such as \"bert\"; timm's networks have an architecture");
    for (size_t i = 0; i < THAW_COUNT(families); i++) {
        names[i] = families[i]->type;
        folder->family = families[i];
        if (strcmp(json_string_value(type), names[i]) == 0)
            return THAW_OK;
    }
    return thaw_fail_unknown(config->context, "model_type", json_string_value(type), names, THAW_COUNT(families));
}

static thaw_status describe(thaw_model_folder *folder, const thaw_config *config)
{
    thaw_text text = { .context = folder->context };
    char *description = NULL;
    const thaw_status status = folder->family->describe(config, folder->path, &text);
    const thaw_status finished = thaw_text_finish(&text, &description);
    thaw_status done = status == THAW_OK ? finished : status;
    if (done == THAW_OK)
        done = thaw_zoo_check(folder->context, description);
    if (done == THAW_OK)
        done = thaw_notes_put(&folder->notes, "thaw.model", description);
    thaw_release(folder->context, description);
    return done;
}

/* The pattern of the head, by its name in the zoo, and of what else is new with it. */
static thaw_status find_head(thaw_model_folder *folder)
{
    const char *description = thaw_model_folder_description(folder);
    const size_t length = strcspn(description, ":");
    const thaw_zoo_entry *entry;
    thaw_text text = { .context = folder->context };
    for (size_t i = 0; (entry = thaw_zoo_entry_at(i)); i++)
        if (strlen(entry->name) == length && strncmp(entry->name, description, length) == 0)
            break;
    if (entry && entry->head) /* otherwise "", which no name matches */
        thaw_text_append(&text, "%s.*", entry->head);
    return thaw_text_finish(&text, &folder->head);
}

/* ---------------------------------------------------------------- the weights */

/* Opening a file of PyTorch's fails with a message that says how to convert it. */
static thaw_status refuse_weights(const thaw_model_folder *folder)
{
    static const char *const foreign[] = { "pytorch_model.bin", "pytorch_model.pth", "model.pth", "model.pt",
                                           "model.bin" };
    for (size_t i = 0; i < THAW_COUNT(foreign); i++) {
        char *path;
        thaw_safetensors file;
        if (!thaw_folder_has(folder->path, foreign[i]))
            continue;
        thaw_status status = thaw_folder_path(folder->context, folder->path, foreign[i], &path);
        if (status != THAW_OK)
            return status;
        status = thaw_safetensors_open(folder->context, path, &file);
        thaw_release(folder->context, path);
        if (status != THAW_OK)
            return status;
        thaw_safetensors_close(&file);
    }
    return thaw_fail(folder->context, THAW_NOT_FOUND,
                     "%s: has no weights, must have model.safetensors or model.safetensors.index.json", folder->path);
}

static thaw_status find_weights(thaw_model_folder *folder)
{
    static const char *const names[] = { "model.safetensors", "model.safetensors.index.json" };
    for (size_t i = 0; i < THAW_COUNT(names); i++)
        if (thaw_folder_has(folder->path, names[i]))
            return thaw_folder_path(folder->context, folder->path, names[i], &folder->weights);
    return refuse_weights(folder);
}

/* The outputs of the head are the first dimension of its bias, or of any of its tensors. */
static thaw_status count_classes(thaw_model_folder *folder)
{
    thaw_safetensors file;
    thaw_status status = thaw_safetensors_open(folder->context, folder->weights, &file);
    if (status != THAW_OK)
        return status;
    for (size_t i = 0; i < file.count; i++)
        if (file.tensors[i].shape.rank && thaw_pattern_matches(folder->head, file.tensors[i].name))
            folder->classes = (size_t)file.tensors[i].shape.dims[0];
    thaw_safetensors_close(&file);
    return THAW_OK;
}

/* ---------------------------------------------------------------- opening */

static thaw_status read(thaw_model_folder *folder, const thaw_config *config)
{
    if (!json_is_object(config->root))
        return thaw_fail(folder->context, THAW_BAD_FORMAT, "%s: must be an object", config->path);
    thaw_status status = find_family(folder, config);
    if (status == THAW_OK)
        status = describe(folder, config);
    if (status == THAW_OK)
        status = find_head(folder);
    if (status == THAW_OK)
        status = find_weights(folder);
    if (status == THAW_OK)
        status = count_classes(folder);
    if (status == THAW_OK && folder->classes)
        status = thaw_folder_note_classes(folder, config);
    if (status == THAW_OK && folder->family->text)
        status = thaw_folder_find_length(folder);
    return status == THAW_OK ? thaw_folder_note_images(folder, config) : status;
}

static thaw_status open_config(thaw_model_folder *folder)
{
    static const char name[] = "config.json";
    char *path;
    json_t *root = NULL;
    if (!thaw_folder_has(folder->path, name))
        return thaw_fail(folder->context, THAW_NOT_FOUND,
                         "%s: has no config.json, must be a folder as downloaded from the Hub", folder->path);
    thaw_status status = thaw_folder_path(folder->context, folder->path, name, &path);
    if (status != THAW_OK)
        return status;
    status = thaw_json_read(folder->context, path, &root);
    if (status == THAW_OK)
        status = read(folder, &(thaw_config){ folder->context, path, root });
    json_decref(root);
    thaw_release(folder->context, path);
    return status;
}

static bool has_tokenizer(const char *path)
{
    return thaw_folder_has(path, "tokenizer.json") || thaw_folder_has(path, "vocab.txt") ||
           (thaw_folder_has(path, "vocab.json") && thaw_folder_has(path, "merges.txt"));
}

thaw_status thaw_model_folder_open(thaw_context *context, const char *path, thaw_model_folder **folder)
{
    *folder = NULL;
    if (!path)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the path of a network's folder is missing");
    thaw_model_folder *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    made->context = made->notes.context = context;
    made->path = thaw_copy_text(context, path);
    made->tokenizer = has_tokenizer(path);
    const thaw_status status = made->path ? open_config(made) : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        *folder = made;
    else
        thaw_model_folder_destroy(made);
    return status;
}
