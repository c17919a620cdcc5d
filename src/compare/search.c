#include "compare/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <thaw/runtime.h>

#include "compare/search_file.h"
#include "core/allocation.h"
#include "io/json_file.h"

/* Three decades of rates around each optimizer's own, whatever their size. */
const char thaw_search_builtin[] = "{ \"default\": {\n"
                                   "    \"lr\": { \"times\": [0.03, 30] },\n"
                                   "    \"weight_decay\": { \"log\": [1e-5, 0.1] },\n"
                                   "    \"beta1\": { \"one-minus\": [0.03, 0.3] },\n"
                                   "    \"beta2\": { \"one-minus\": [0.001, 0.1] },\n"
                                   "    \"warmup\": [0, 0.05, 0.1, 0.2] } }\n";

/* ---------------------------------------------------------------- the space of an optimizer */

static bool can_search(const thaw_optimizer *optimizer, const char *name)
{
    return strcmp(name, THAW_SEARCH_WARMUP) == 0 || !isnan(thaw_optimizer_get(optimizer, name));
}

/* That the optimizer, or a schedule, accepts a value. */
static thaw_status check_value(const thaw_search_file *file, const char *section, thaw_optimizer *optimizer,
                               const char *name, double value)
{
    if (strcmp(name, THAW_SEARCH_WARMUP) == 0)
        return value >= 0 && value < 1
                   ? THAW_OK
                   : thaw_search_file_refuse(file, section, name, "is a share of the epochs, from 0 and below 1");
    const double before = thaw_optimizer_get(optimizer, name);
    if (thaw_optimizer_set(optimizer, name, value) != THAW_OK)
        return thaw_fail(file->context, THAW_BAD_FORMAT, "%s: \"%.60s\": %s", file->path, section,
                         thaw_context_message(file->context));
    return thaw_optimizer_set(optimizer, name, before);
}

/* Both ends of the range, or each value. */
static thaw_status check_range(const thaw_search_file *file, const char *section, thaw_optimizer *optimizer,
                               const thaw_search_range *range)
{
    const bool list = range->form == THAW_SEARCH_LIST;
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < (list ? range->count : 2) && status == THAW_OK; i++)
        status = check_value(file, section, optimizer, range->name,
                             list ? range->values[i] : thaw_search_value(range, (double)i));
    return status;
}

static thaw_status add_range(const thaw_search_file *file, const char *section, thaw_optimizer *optimizer,
                             const char *name, const json_t *described, thaw_search_space *space)
{
    if (!can_search(optimizer, name) || json_is_null(described))
        return THAW_OK;
    if (space->count == THAW_MOST_COORDINATES)
        return thaw_search_file_refuse(file, section, name, "is one too many, an optimizer may have 16");
    thaw_search_range *range = &space->ranges[space->count++];
    *range = (thaw_search_range){ .name = thaw_copy_text(file->context, name) };
    if (!range->name)
        return THAW_OUT_OF_MEMORY;
    const char *error = thaw_search_range_read(file->context, described, thaw_optimizer_get(optimizer, name), range);
    return error ? thaw_search_file_refuse(file, section, name, error) : check_range(file, section, optimizer, range);
}

static int compare_names(const void *left, const void *right)
{
    const char *one = ((const thaw_search_range *)left)->name, *other = ((const thaw_search_range *)right)->name;
    const bool first = strcmp(one, "lr") == 0, second = strcmp(other, "lr") == 0;
    return first || second ? second - first : strcmp(one, other);
}

static thaw_status fill_space(const thaw_search_file *file, thaw_optimizer *optimizer, thaw_search_space *space)
{
    const char *section = thaw_optimizer_name(optimizer), *name;
    json_t *own = json_object_get(json_object_get(file->root, "optimizers"), section), *described;
    thaw_status status = THAW_OK;
    json_object_foreach(json_object_get(file->root, "default"), name, described)
    {
        if (status == THAW_OK && !json_object_get(own, name))
            status = add_range(file, "default", optimizer, name, described, space);
    }
    json_object_foreach(own, name, described)
    {
        if (status == THAW_OK)
            status = add_range(file, section, optimizer, name, described, space);
    }
    if (status == THAW_OK && space->count == 0)
        status = thaw_fail(file->context, THAW_BAD_FORMAT, "%s: there is nothing to search for optimizer %s",
                           file->path, section);
    if (status == THAW_OK)
        qsort(space->ranges, space->count, sizeof *space->ranges, compare_names);
    return status;
}

/* ---------------------------------------------------------------- all of them */

static thaw_status read_root(thaw_search_file *file, const char *path)
{
    file->path = path ? path : "the built-in search";
    if (path)
        return thaw_json_read(file->context, path, &file->root);
    file->root = json_loads(thaw_search_builtin, 0, NULL);
    return file->root ? THAW_OK : thaw_fail(file->context, THAW_OUT_OF_MEMORY, "the built-in search");
}

thaw_status thaw_search_read(thaw_context *context, const char *path, const char *const *optimizers, size_t count,
                             thaw_search_space *spaces)
{
    thaw_optimizer **made = thaw_allocate_array(context, count, sizeof *made);
    thaw_search_file file = { .context = context, .optimizers = made, .optimizer_count = count };
    thaw_status status = made ? THAW_OK : THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = thaw_optimizer_create(context, optimizers[i], &made[i]);
    if (status == THAW_OK)
        status = read_root(&file, path);
    if (status == THAW_OK)
        status = thaw_search_file_check(&file);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = fill_space(&file, made[i], &spaces[i]);
    for (size_t i = 0; i < count && made; i++)
        thaw_optimizer_destroy(made[i]);
    thaw_release(context, (void *)made);
    json_decref(file.root);
    return status;
}

void thaw_search_release(thaw_context *context, thaw_search_space *spaces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < spaces[i].count; k++) {
            thaw_release(context, spaces[i].ranges[k].name);
            thaw_release(context, spaces[i].ranges[k].values);
        }
}

void thaw_search_draw(const thaw_context *context, const thaw_search_space *space, uint64_t seed, size_t trial,
                      double *values)
{
    for (size_t i = 0; i < space->count; i++)
        values[i] = thaw_search_value(&space->ranges[i], thaw_halton(context, seed, i, trial));
}

json_t *thaw_search_json(const thaw_search_space *space)
{
    static const char *const forms[] = { "log", "uniform", "one-minus", "list" };
    json_t *list = json_array();
    for (size_t i = 0; i < space->count; i++) {
        const thaw_search_range *range = &space->ranges[i];
        json_t *values = json_array();
        for (size_t k = 0; k < range->count; k++)
            json_array_append_new(values, json_real(range->values[k]));
        if (range->form != THAW_SEARCH_LIST) {
            json_array_append_new(values, json_real(range->low));
            json_array_append_new(values, json_real(range->high));
        }
        json_array_append_new(list,
                              json_pack("{sssssO}", "name", range->name, "form", forms[range->form], "values", values));
        json_decref(values);
    }
    return list;
}
