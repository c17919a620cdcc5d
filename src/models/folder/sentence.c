/* Folders of sentence-transformers (Reimers & Gurevych 2019, arXiv 1908.10084): modules.json lists what the network is
   made of. Transformer is what config.json describes, Pooling makes a vector of a sequence, and Normalize gives that a
   Euclidean norm of 1. */
#include <jansson.h>
#include <string.h>

#include "io/json_file.h"
#include "models/folder/folder.h"

/* The parts that a list may have, in this order, each once. */
typedef enum part { TRANSFORMER, POOLING, NORMALIZE, PARTS } part;

static const char *const part_names[PARTS] = { "Transformer", "Pooling", "Normalize" };

/* What the list says. */
typedef struct sentence {
    char *paths[PARTS]; /* of each part's configuration; NULL: there is no such part, or no such file */
    bool has[PARTS];
} sentence;

static thaw_status find_path(thaw_context *context, const char *folder, const char *part_folder, char **path)
{
    thaw_text name = { .context = context };
    char *inner = NULL;
    thaw_text_append(&name, "%s/config.json", part_folder);
    thaw_status status = thaw_text_finish(&name, &inner);
    if (status == THAW_OK && thaw_folder_has(folder, inner))
        status = thaw_folder_path(context, folder, inner, path);
    thaw_release(context, inner);
    return status;
}

/* Reads the file that `c` names, which must be an object or, if `list` is set, an array. */
static thaw_status read(thaw_config *c, bool list, json_t **root)
{
    const thaw_status status = thaw_json_read(c->context, c->path, root);
    c->root = *root;
    if (status != THAW_OK || (list ? json_is_array(*root) : json_is_object(*root)))
        return status;
    return thaw_fail(c->context, THAW_BAD_FORMAT, "%s: must be an %s", c->path, list ? "array" : "object");
}

/* ---------------------------------------------------------------- modules.json */

/* The class, without the Python modules that it is in. NULL: not a text. */
static const char *class_of(const json_t *module)
{
    const char *type = json_string_value(json_object_get(module, "type"));
    const char *dot = type ? strrchr(type, '.') : NULL;
    return dot ? dot + 1 : type;
}

static thaw_status take_module(const thaw_config *list, const char *folder, size_t index, part *next, sentence *made)
{
    const json_t *module = json_array_get(list->root, index);
    const char *class = class_of(module), *path = json_string_value(json_object_get(module, "path"));
    part found = *next;
    if (!class || !path)
        return thaw_fail(list->context, THAW_BAD_FORMAT, "%s: module %zu must have a \"type\" and a \"path\"",
                         list->path, index + 1);
    while (found < PARTS && strcmp(class, part_names[found]) != 0)
        found++;
    if (found == PARTS || (index == 0) != (found == TRANSFORMER))
        return thaw_fail(list->context, THAW_UNSUPPORTED,
                         "%s: module %zu is \"%.60s\"; known are a Transformer, a Pooling after it, and a Normalize at "
                         "the end",
                         list->path, index + 1, class);
    if (found == TRANSFORMER && *path)
        return thaw_fail(list->context, THAW_UNSUPPORTED,
                         "%s: the Transformer is in \"%.200s\", must be in the folder itself", list->path, path);
    made->has[found] = true;
    *next = found + 1;
    return found == TRANSFORMER ? THAW_OK : find_path(list->context, folder, path, &made->paths[found]);
}

static thaw_status read_modules(thaw_context *context, const char *folder, sentence *made)
{
    thaw_config list = { .context = context };
    json_t *root = NULL;
    char *path;
    part next = TRANSFORMER;
    thaw_status status = thaw_folder_path(context, folder, "modules.json", &path);
    if (status != THAW_OK)
        return status;
    list.path = path;
    status = read(&list, true, &root);
    for (size_t i = 0; i < json_array_size(root) && status == THAW_OK; i++)
        status = take_module(&list, folder, i, &next, made);
    if (status == THAW_OK && made->has[NORMALIZE] && !made->has[POOLING])
        status = thaw_fail(context, THAW_UNSUPPORTED, "%s: has a Normalize without a Pooling", path);
    json_decref(root);
    thaw_release(context, path);
    return status;
}

/* ---------------------------------------------------------------- the modules' own configurations */

static const char *const mode_words[] = { "mean", "cls", NULL };

/* Newer configurations have a word, or a list of words. */
static thaw_status find_named_mode(const thaw_config *c, const char **mode)
{
    const json_t *value = json_object_get(c->root, "pooling_mode");
    const json_t *word = json_array_size(value) == 1 ? json_array_get(value, 0) : value;
    for (size_t i = 0; mode_words[i]; i++)
        if (json_is_string(word) && strcmp(json_string_value(word), mode_words[i]) == 0) {
            *mode = mode_words[i];
            return THAW_OK;
        }
    return thaw_config_refuse(c, THAW_UNSUPPORTED, "pooling_mode", value, "\"mean\" or \"cls\"");
}

/* Older ones have a flag for each way; without any it is the mean. */
static thaw_status find_flagged_mode(const thaw_config *c, const char **mode)
{
    static const char start[] = "pooling_mode_";
    static const char *const flags[] = { "pooling_mode_mean_tokens", "pooling_mode_cls_token" };
    const char *key;
    json_t *value;
    const char *found = NULL;
    json_object_foreach((json_t *)c->root, key, value)
    {
        if (strncmp(key, start, sizeof start - 1) != 0 || !json_is_true(value))
            continue;
        if (found || (strcmp(key, flags[0]) != 0 && strcmp(key, flags[1]) != 0))
            return thaw_config_refuse(c, THAW_UNSUPPORTED, key, value,
                                      "false: only pooling_mode_mean_tokens or pooling_mode_cls_token may be true");
        found = key;
    }
    *mode = mode_words[found && strcmp(found, flags[1]) == 0];
    return THAW_OK;
}

static thaw_status append_mode(thaw_context *context, const char *path, thaw_text *into)
{
    thaw_config pooling = { .context = context, .path = path };
    json_t *root = NULL;
    const char *mode = mode_words[0];
    thaw_status status = path ? read(&pooling, false, &root) : THAW_OK;
    if (status == THAW_OK && path)
        status = json_object_get(root, "pooling_mode") ? find_named_mode(&pooling, &mode)
                                                       : find_flagged_mode(&pooling, &mode);
    if (status == THAW_OK)
        thaw_text_append(into, ",pooling=%s", mode);
    json_decref(root);
    return status;
}

static thaw_status append_norm(thaw_context *context, const char *path, thaw_text *into)
{
    thaw_config norm = { .context = context, .path = path };
    json_t *root = NULL;
    thaw_status status = path ? read(&norm, false, &root) : THAW_OK;
    if (status == THAW_OK && path)
        status = thaw_config_demand_word(&norm, "module_input_name", "sentence_embedding");
    if (status == THAW_OK && path)
        status = thaw_config_demand_word(&norm, "module_output_name", "sentence_embedding");
    if (status == THAW_OK)
        thaw_text_append(into, ",normalise=yes");
    json_decref(root);
    return status;
}

/* ---------------------------------------------------------------- all of it */

static thaw_status append_sentence(const thaw_config *config, const sentence *found, bool pools, thaw_text *into)
{
    if (found->has[POOLING] && !pools)
        return thaw_fail(config->context, THAW_UNSUPPORTED,
                         "%s: is of sentence-transformers and has a Pooling, which is known of bert and distilbert",
                         config->path);
    thaw_status status = THAW_OK;
    if (found->has[POOLING])
        status = append_mode(config->context, found->paths[POOLING], into);
    else if (pools)
        thaw_text_append(into, ",pooling=token");
    return status == THAW_OK && found->has[NORMALIZE] ? append_norm(config->context, found->paths[NORMALIZE], into)
                                                      : status;
}

thaw_status thaw_folder_append_sentence(const thaw_config *config, const char *folder, bool pools, thaw_text *into)
{
    sentence found = { 0 };
    thaw_status status = THAW_OK;
    if (thaw_folder_has(folder, "modules.json")) {
        status = read_modules(config->context, folder, &found);
    } else if (thaw_folder_has(folder, "1_Pooling/config.json")) {
        found.has[POOLING] = true;
        status = find_path(config->context, folder, "1_Pooling", &found.paths[POOLING]);
    }
    if (status == THAW_OK)
        status = append_sentence(config, &found, pools, into);
    for (part p = TRANSFORMER; p < PARTS; p++)
        thaw_release(config->context, found.paths[p]);
    return status;
}
