#include "compare/search_file.h"

#include <string.h>
#include <thaw/runtime.h>

#include "compare/search_names.h"
#include "core/nearest.h"

thaw_status thaw_search_file_refuse(const thaw_search_file *file, const char *section, const char *name,
                                    const char *why)
{
    if (why == THAW_SEARCH_NO_MEMORY)
        return THAW_OUT_OF_MEMORY;
    return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: \"%.60s\": \"%.60s\" %s", file->path, section, name, why);
}

/* Puts the place before the message that the context has. */
static thaw_status locate(const thaw_search_file *file, const char *section)
{
    thaw_context *context = file->context;
    return section ? thaw_fail(context, THAW_BAD_FORMAT, "%s: \"%.60s\": %s", file->path, section,
                               thaw_context_message(context))
                   : thaw_fail(context, THAW_BAD_FORMAT, "%s: %s", file->path, thaw_context_message(context));
}

static thaw_status check_section(const thaw_search_file *file, const char *section, json_t *ranges,
                                 const thaw_search_names *known)
{
    const char *name;
    json_t *described;
    if (!json_is_object(ranges))
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: \"%.60s\" must be an object of hyper-parameters",
                         file->path, section);
    json_object_foreach(ranges, name, described)
    {
        thaw_search_range range = { 0 };
        if (!thaw_search_names_have(known, name, strlen(name))) {
            thaw_search_names_refuse(known, "hyper-parameter", name);
            return locate(file, section);
        }
        const char *error =
            json_is_null(described) ? NULL : thaw_search_range_read(file->context, described, 1, &range);
        thaw_release(file->context, range.values);
        if (error)
            return thaw_search_file_refuse(file, section, name, error);
    }
    return THAW_OK;
}

static thaw_status check_default(const thaw_search_file *file, json_t *ranges)
{
    thaw_search_names known = { .context = file->context };
    thaw_status status = thaw_search_names_add(&known, THAW_SEARCH_WARMUP);
    if (status == THAW_OK)
        status = thaw_search_names_add_all_settings(&known);
    for (size_t i = 0; i < file->optimizer_count && status == THAW_OK; i++)
        status = thaw_search_names_add_settings(&known, file->optimizers[i]);
    if (status == THAW_OK)
        status = check_section(file, "default", ranges, &known);
    thaw_search_names_release(&known);
    return status;
}

/* Whether the name consists of built-in modules: no file may choose what code is loaded. */
static bool is_built_in(const thaw_search_names *modules, const char *name)
{
    for (const char *piece = name;; piece++) {
        const size_t length = strcspn(piece, "/");
        if (!thaw_search_names_have(modules, piece, length))
            return false;
        piece += length;
        if (!*piece)
            return true;
    }
}

/* The optimizer of a section: one of the comparison's, or else a built-in one, which is then *made. */
static thaw_status find_optimizer(const thaw_search_file *file, const char *section, thaw_optimizer **made,
                                  const thaw_optimizer **found)
{
    *made = NULL;
    for (size_t i = 0; i < file->optimizer_count; i++)
        if (strcmp(thaw_optimizer_name(file->optimizers[i]), section) == 0) {
            *found = file->optimizers[i];
            return THAW_OK;
        }
    thaw_search_names known = { .context = file->context };
    thaw_status status = thaw_search_names_add_modules(&known);
    const bool built_in = status == THAW_OK && is_built_in(&known, section);
    for (size_t i = 0; i < file->optimizer_count && status == THAW_OK; i++)
        status = thaw_search_names_add(&known, thaw_optimizer_name(file->optimizers[i]));
    if (status == THAW_OK && !built_in) {
        thaw_search_names_refuse(&known, "optimizer", section);
        status = locate(file, NULL);
    } else if (status == THAW_OK && thaw_optimizer_create(file->context, section, made) != THAW_OK) {
        status = locate(file, section);
    }
    *found = *made;
    thaw_search_names_release(&known);
    return status;
}

static thaw_status check_optimizer(const thaw_search_file *file, const char *section, json_t *ranges)
{
    thaw_search_names known = { .context = file->context };
    thaw_optimizer *made;
    const thaw_optimizer *found;
    thaw_status status = find_optimizer(file, section, &made, &found);
    if (status == THAW_OK)
        status = thaw_search_names_add(&known, THAW_SEARCH_WARMUP);
    if (status == THAW_OK)
        status = thaw_search_names_add_settings(&known, found);
    if (status == THAW_OK)
        status = check_section(file, section, ranges, &known);
    thaw_optimizer_destroy(made);
    thaw_search_names_release(&known);
    return status;
}

static thaw_status check_key(const thaw_search_file *file, const char *key, json_t *value)
{
    static const char *const known[] = { "default", "optimizers" };
    if (strcmp(key, known[0]) == 0)
        return check_default(file, value);
    if (strcmp(key, known[1]) != 0) {
        thaw_fail_unknown(file->context, "key", key, known, THAW_COUNT(known));
        return locate(file, NULL);
    }
    const char *section;
    json_t *ranges;
    thaw_status status = json_is_object(value) ? THAW_OK
                                               : thaw_fail(file->context, THAW_BAD_FORMAT,
                                                           "%s: \"optimizers\" must be an object", file->path);
    json_object_foreach(value, section, ranges)
    {
        if (status == THAW_OK)
            status = check_optimizer(file, section, ranges);
    }
    return status;
}

thaw_status thaw_search_file_check(const thaw_search_file *file)
{
    const char *key;
    json_t *value;
    thaw_status status = json_is_object(file->root)
                             ? THAW_OK
                             : thaw_fail(file->context, THAW_BAD_FORMAT,
                                         "%s: must be an object with \"default\", \"optimizers\" or both", file->path);
    json_object_foreach(file->root, key, value)
    {
        if (status == THAW_OK)
            status = check_key(file, key, value);
    }
    return status;
}
