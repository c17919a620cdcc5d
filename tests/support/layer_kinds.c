#include "support/layer_kinds.h"

#include <stdlib.h>
#include <string.h>

#include "graph/model.h"
#include "support/files.h"

static bool has(const layer_kinds *kinds, const char *name, size_t length)
{
    for (size_t i = 0; i < kinds->count; i++)
        if (strlen(kinds->names[i]) == length && memcmp(kinds->names[i], name, length) == 0)
            return true;
    return false;
}

void layer_kinds_add(layer_kinds *kinds, const thaw_model *model)
{
    for (size_t i = 0; i < model->node_count; i++) {
        const thaw_layer_module *module = model->nodes[i].module;
        if (!module || has(kinds, module->name, strlen(module->name)))
            continue;
        cr_assert(kinds->count < LAYER_KINDS_MOST);
        kinds->names[kinds->count++] = module->name;
    }
}

/* Losses whose outputs or targets are not those of assorted networks, or whose samples depend on each other. */
static bool is_apart(const char *name, size_t length)
{
    static const char *const apart[] = { "contrastive_loss", "token_cross_entropy" };
    for (size_t i = 0; i < THAW_COUNT(apart); i++)
        if (strlen(apart[i]) == length && memcmp(apart[i], name, length) == 0)
            return true;
    return false;
}

/* Each function of a header is named after its kind: thaw_KIND(thaw_model *model, ... Returns how many there are. */
static size_t assert_header(const layer_kinds *kinds, const char *header)
{
    static const char before[] = "THAW_API thaw_status thaw_", after[] = "(thaw_model *";
    static char text[1 << 17];
    char path[SUPPORT_PATH_BYTES];
    const char *root = getenv("THAW_SOURCE_ROOT");
    cr_assert_not_null(root, "THAW_SOURCE_ROOT is not set: run the tests through meson");
    const long length = support_read_file(support_path(path, root, header), text, sizeof text - 1);
    cr_assert(length > 0 && length < (long)sizeof text - 1, "%s: %ld bytes were read", path, length);
    text[length] = '\0';
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, before)) != NULL;) {
        at += sizeof before - 1;
        const size_t name = strcspn(at, "(");
        cr_assert(strncmp(at + name, after, sizeof after - 1) == 0);
        cr_assert(has(kinds, at, name) || is_apart(at, name), "%.*s is in no network", (int)name, at);
        count++;
    }
    return count;
}

void layer_kinds_assert_all(const layer_kinds *kinds)
{
    static const char *const headers[] = { "include/thaw/attention.h", "include/thaw/layers.h", "include/thaw/losses.h",
                                           "include/thaw/sequence_layers.h", "include/thaw/transformer_layers.h" };
    size_t count = 0;
    for (size_t i = 0; i < THAW_COUNT(headers); i++)
        count += assert_header(kinds, headers[i]);
    cr_assert_gt(count, 30, "the headers declare %zu layers", count);
}
