#include "io/shards.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"
#include "io/json_file.h"

/* Names come from the index and may be long: messages show at most this much of one. */
#define SHOWN "%.100s"

static thaw_status refuse(const thaw_safetensors *file, const char *name, const char *why)
{
    return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: tensor \"" SHOWN "\" %s", file->path, name, why);
}

/* The files lie beside the index: their names have no folder. */
static thaw_status check_map(const thaw_safetensors *file, const json_t *root, json_t **map)
{
    const char *name;
    json_t *value;
    *map = json_object_get(root, "weight_map");
    if (!json_is_object(*map) || !json_object_size(*map))
        return thaw_fail(file->context, THAW_BAD_FORMAT,
                         "%s: weight_map is missing, must be an object with a file for each tensor", file->path);
    json_object_foreach(*map, name, value)
    {
        const char *shard = json_string_value(value);
        if (!shard)
            return refuse(file, name, "has a file that is not a string");
        if (!*shard || strchr(shard, '/') || strcmp(shard, ".") == 0 || strcmp(shard, "..") == 0 ||
            thaw_is_index(shard))
            return thaw_fail(file->context, THAW_BAD_FORMAT,
                             "%s: tensor \"" SHOWN "\" is in \"" SHOWN
                             "\", must be in a file of safetensors beside the index",
                             file->path, name, shard);
    }
    return THAW_OK;
}

/* ---------------------------------------------------------------- the files */

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The names of the files, each once and sorted, in memory that the caller releases. */
static thaw_status list_names(const thaw_safetensors *file, json_t *map, const char ***names, size_t *count)
{
    const char *tensor;
    json_t *value;
    size_t all = 0;
    *count = 0;
    *names = thaw_allocate_array(file->context, json_object_size(map), sizeof **names);
    if (!*names)
        return THAW_OUT_OF_MEMORY;
    json_object_foreach(map, tensor, value)
    {
        (*names)[all++] = json_string_value(value);
    }
    qsort((void *)*names, all, sizeof **names, by_text);
    for (size_t i = 0; i < all; i++)
        if (!*count || strcmp((*names)[*count - 1], (*names)[i]) != 0)
            (*names)[(*count)++] = (*names)[i];
    return THAW_OK;
}

static thaw_status open_shard(thaw_safetensors *file, const char *name)
{
    const char *slash = strrchr(file->path, '/');
    thaw_text text = { .context = file->context };
    char *path;
    thaw_text_append(&text, "%.*s%s", slash ? (int)(slash + 1 - file->path) : 0, file->path, name);
    thaw_status status = thaw_text_finish(&text, &path);
    if (status == THAW_OK)
        status = thaw_safetensors_open(file->context, path, &file->shards[file->shard_count]);
    if (status == THAW_OK)
        file->shard_count++;
    else
        thaw_release(file->context, path);
    return status;
}

static thaw_status open_shards(thaw_safetensors *file, json_t *map)
{
    const char **names;
    size_t count;
    thaw_status status = list_names(file, map, &names, &count);
    if (status == THAW_OK) {
        file->shards = thaw_allocate_array(file->context, count, sizeof *file->shards);
        status = file->shards ? THAW_OK : THAW_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = open_shard(file, names[i]);
    thaw_release(file->context, (void *)names);
    return status;
}

/* ---------------------------------------------------------------- their tensors */

static const char *name_of(const thaw_safetensors *shard)
{
    const char *slash = strrchr(shard->path, '/');
    return slash ? slash + 1 : shard->path;
}

static thaw_status check_tensors(const thaw_safetensors *file, size_t shard, json_t *map)
{
    const thaw_safetensors *held = &file->shards[shard];
    for (size_t i = 0; i < held->count; i++) {
        const char *name = held->tensors[i].name, *mapped = json_string_value(json_object_get(map, name));
        if (mapped && strcmp(mapped, name_of(held)) == 0)
            continue;
        return thaw_fail(file->context, THAW_BAD_FORMAT,
                         "%s: tensor \"" SHOWN "\" is in " SHOWN ", but in the index it is %s" SHOWN, file->path, name,
                         name_of(held), mapped ? "in " : "missing", mapped ? mapped : "");
    }
    return THAW_OK;
}

static thaw_status check_present(const thaw_safetensors *file, json_t *map)
{
    const char *name;
    json_t *value;
    json_object_foreach(map, name, value)
    {
        const char *shard = json_string_value(value);
        for (size_t i = 0; i < file->shard_count; i++)
            if (strcmp(name_of(&file->shards[i]), shard) == 0 && !thaw_safetensors_find(&file->shards[i], name))
                return thaw_fail(file->context, THAW_BAD_FORMAT,
                                 "%s: tensor \"" SHOWN "\" is missing from its file " SHOWN, file->path, name, shard);
    }
    return THAW_OK;
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const thaw_stored_tensor *)left)->name, ((const thaw_stored_tensor *)right)->name);
}

/* Makes one list of the files' lists. */
static thaw_status join(thaw_safetensors *file, size_t count)
{
    file->tensors = thaw_allocate_array(file->context, count, sizeof *file->tensors);
    if (!file->tensors)
        return THAW_OUT_OF_MEMORY;
    for (size_t shard = 0; shard < file->shard_count; shard++) {
        thaw_safetensors *held = &file->shards[shard];
        for (size_t i = 0; i < held->count; i++) {
            file->tensors[file->count] = held->tensors[i];
            file->tensors[file->count++].shard = shard;
        }
        thaw_release(file->context, held->tensors);
        held->tensors = NULL;
        held->count = 0;
    }
    qsort(file->tensors, file->count, sizeof *file->tensors, by_name);
    file->notes = file->shards[0].notes;
    file->shards[0].notes = (thaw_notes){ .context = file->context };
    return THAW_OK;
}

thaw_status thaw_shards_open(thaw_safetensors *file)
{
    json_t *root, *map = NULL;
    thaw_status status = thaw_json_read(file->context, file->path, &root);
    if (status == THAW_OK)
        status = check_map(file, root, &map);
    if (status == THAW_OK)
        status = open_shards(file, map);
    for (size_t i = 0; i < file->shard_count && status == THAW_OK; i++)
        status = check_tensors(file, i, map);
    if (status == THAW_OK)
        status = check_present(file, map);
    if (status == THAW_OK)
        status = join(file, json_object_size(map));
    json_decref(root);
    return status;
}

void thaw_shards_close(thaw_safetensors *file)
{
    for (size_t i = 0; i < file->shard_count; i++) {
        char *path = (char *)file->shards[i].path;
        thaw_safetensors_close(&file->shards[i]);
        thaw_release(file->context, path);
    }
    thaw_release(file->context, file->shards);
}
