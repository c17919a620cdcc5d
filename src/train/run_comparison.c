/* Compares a checkpoint's run with the one that is to continue it. */
#include <stdio.h>
#include <string.h>

#include "core/context.h"
#include "train/run_description.h"

/* What may differ, and why it matters all the same. */
static const struct {
    const char *key, *consequence;
} harmless[] = {
    { "version of Thaw", "bits may differ" },
    { "threads", "bits may differ" },
    { "CPU level", "bits may differ" },
    { "epochs", "schedules and rules by share of the epochs count the new number" },
    { "epochs from test to test", "other epochs are tested from now on" },
    { "monitored figure", "the best epoch is sought among those to come" },
};

static const char *consequence_of(const char *key)
{
    for (size_t i = 0; i < THAW_COUNT(harmless); i++)
        if (strcmp(key, harmless[i].key) == 0)
            return harmless[i].consequence;
    return NULL;
}

/* The differences that forbid to continue. */
typedef struct differences {
    thaw_context *context;
    const char *path;
    size_t count;
    thaw_text first;
} differences;

/* NULL: there is no such line. */
static void note(differences *found, const char *key, const char *there, const char *here)
{
    const char *consequence = consequence_of(key);
    if (consequence) {
        thaw_log(found->context, THAW_LOG_WARNING, "%s: %s: %s in the checkpoint, %s now: %s", found->path, key,
                 there ? there : "none", here ? here : "none", consequence);
        return;
    }
    if (found->count++ == 0)
        thaw_text_append(&found->first, "%.150s: %.250s in the checkpoint, %.250s here", key, there ? there : "missing",
                         here ? here : "missing");
}

/* Both are sorted by key. */
static void compare(differences *found, const thaw_lines *there, const thaw_lines *here)
{
    size_t t = 0, h = 0;
    while (t < there->count || h < here->count) {
        const thaw_line *a = t < there->count ? &there->lines[t] : NULL;
        const thaw_line *b = h < here->count ? &here->lines[h] : NULL;
        const int order = !a ? 1 : !b ? -1 : strcmp(a->key, b->key);
        if (order < 0)
            note(found, a->key, a->value, NULL);
        else if (order > 0)
            note(found, b->key, NULL, b->value);
        else if (strcmp(a->value, b->value) != 0)
            note(found, a->key, a->value, b->value);
        t += order <= 0;
        h += order >= 0;
    }
}

thaw_status thaw_run_compare(thaw_trainer *trainer, const char *path, thaw_lines *stored)
{
    thaw_context *context = trainer->model->context;
    differences found = { .context = context, .path = path, .first = { .context = context } };
    thaw_lines here;
    thaw_status status = thaw_lines_parse(context, path, trainer->description, strlen(trainer->description), &here);
    if (status == THAW_OK)
        compare(&found, stored, &here);
    thaw_lines_release(&here);
    char *first = NULL;
    if (status == THAW_OK)
        status = thaw_text_finish(&found.first, &first);
    if (status == THAW_OK && found.count)
        status = thaw_fail(context, THAW_INVALID_ARGUMENT, "%s: is of another run: %s%s", path, first,
                           found.count > 1 ? ", and more differs" : "");
    thaw_text_destroy(context, first);
    return status;
}
