/* Names of the tensors in a file: looked up, changed, and dropped. */
#include <stdlib.h>
#include <string.h>

#include "core/pattern.h"
#include "core/text.h"
#include "io/safetensors.h"

static int against_name(const void *name, const void *tensor)
{
    return strcmp(name, ((const thaw_stored_tensor *)tensor)->name);
}

static int by_name(const void *left, const void *right)
{
    return strcmp(((const thaw_stored_tensor *)left)->name, ((const thaw_stored_tensor *)right)->name);
}

const thaw_stored_tensor *thaw_safetensors_find(const thaw_safetensors *file, const char *name)
{
    return bsearch(name, file->tensors, file->count, sizeof *file->tensors, against_name);
}

/* Replaces `length` characters at `place`. */
static thaw_status rename_tensor(thaw_context *context, thaw_stored_tensor *tensor, size_t place, size_t length,
                                 const char *replacement)
{
    thaw_text text = { .context = context };
    char *name;
    thaw_text_append(&text, "%.*s%s%s", (int)place, tensor->name, replacement, tensor->name + place + length);
    const thaw_status status = thaw_text_finish(&text, &name);
    if (status != THAW_OK)
        return status;
    thaw_release(context, tensor->name);
    tensor->name = name;
    return THAW_OK;
}

/* After names have changed: sorts the tensors again. */
static thaw_status sort(thaw_safetensors *file, const char *old, const char *replacement)
{
    qsort(file->tensors, file->count, sizeof *file->tensors, by_name);
    for (size_t i = 1; i < file->count; i++)
        if (strcmp(file->tensors[i - 1].name, file->tensors[i].name) == 0)
            return thaw_fail(file->context, THAW_DUPLICATE,
                             "%s: two tensors are named \"%.100s\" after \"%.100s=%.100s\"", file->path,
                             file->tensors[i].name, old, replacement);
    return THAW_OK;
}

thaw_status thaw_safetensors_rename(thaw_safetensors *file, const char *prefix, const char *replacement)
{
    const size_t length = strlen(prefix);
    size_t renamed = 0;
    for (size_t i = 0; i < file->count; i++) {
        if (strncmp(file->tensors[i].name, prefix, length) != 0)
            continue;
        const thaw_status status = rename_tensor(file->context, &file->tensors[i], 0, length, replacement);
        if (status != THAW_OK)
            return status;
        renamed++;
    }
    if (!renamed)
        return thaw_fail(file->context, THAW_NOT_FOUND,
                         "%s: no tensor has a name that begins with \"%.100s\", the first is \"%.100s\"", file->path,
                         prefix, file->count ? file->tensors[0].name : "");
    return sort(file, prefix, replacement);
}

thaw_status thaw_safetensors_rename_ends(thaw_safetensors *file, const char *end, const char *replacement)
{
    const size_t length = strlen(end);
    for (size_t i = 0; i < file->count; i++) {
        const size_t whole = strlen(file->tensors[i].name);
        if (whole < length || strcmp(file->tensors[i].name + whole - length, end) != 0)
            continue;
        const thaw_status status = rename_tensor(file->context, &file->tensors[i], whole - length, length, replacement);
        if (status != THAW_OK)
            return status;
    }
    return sort(file, end, replacement);
}

void thaw_safetensors_drop(thaw_safetensors *file, const char *pattern)
{
    size_t kept = 0;
    for (size_t i = 0; i < file->count; i++) {
        if (thaw_pattern_matches(pattern, file->tensors[i].name))
            thaw_release(file->context, file->tensors[i].name);
        else
            file->tensors[kept++] = file->tensors[i];
    }
    file->count = kept;
}
