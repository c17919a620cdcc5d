#include "support/layer_kinds.h"

#include <dirent.h>
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

void layer_kinds_assert_all(const layer_kinds *kinds)
{
    char path[SUPPORT_PATH_BYTES];
    const char *root = getenv("THAW_SOURCE_ROOT");
    cr_assert_not_null(root, "THAW_SOURCE_ROOT is not set: run the tests through meson");
    DIR *folder = opendir(support_path(path, root, "layers"));
    cr_assert_not_null(folder, "%s does not open", path);
    size_t files = 0;
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        const char *end = strrchr(entry->d_name, '.');
        if (!end || strcmp(end, ".c") != 0)
            continue;
        files++;
        cr_assert(has(kinds, entry->d_name, (size_t)(end - entry->d_name)), "layers/%s is in no network",
                  entry->d_name);
    }
    closedir(folder);
    cr_assert_gt(files, 0, "%s has no layers", path);
}
