#include "compare/paused.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <thaw/checkpoint.h>
#include <thaw/runtime.h>
#include <unistd.h>

#include "core/text.h"

/* The folder, or the checkpoint of a run after so many epochs within it; NULL: there is none, or no memory. The caller
   releases it. */
static char *path_of(const thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                     size_t epochs)
{
    thaw_context *context = comparison->context;
    thaw_text text = { .context = context };
    char *path = NULL;
    if (!comparison->options.race || !comparison->options.results || (entry && entry->is_trial))
        return NULL;
    thaw_text_append(&text, "%s.race", comparison->options.results);
    if (entry)
        thaw_text_append(&text, "/%zu-%llu-%zu.safetensors", (size_t)(entry - comparison->entries),
                         (unsigned long long)seed, epochs);
    return thaw_text_finish(&text, &path) == THAW_OK ? path : NULL;
}

size_t thaw_paused_epochs(const thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed)
{
    if (entry->is_trial)
        return 0;
    const json_t *run = entry->runs[seed - comparison->options.first_seed];
    return json_array_size(json_object_get(run, "epochs"));
}

void thaw_paused_forget(const thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                        size_t epochs)
{
    char *path = epochs ? path_of(comparison, entry, seed, epochs) : NULL;
    if (path)
        unlink(path);
    thaw_release(comparison->context, path);
}

void thaw_paused_begin(thaw_comparison *comparison)
{
    char *folder = path_of(comparison, NULL, 0, 0);
    if (folder && mkdir(folder, 0777) != 0 && errno != EEXIST)
        thaw_log(comparison->context, THAW_LOG_WARNING,
                 "%s: cannot be created: %s; each rung of the race begins its runs again", folder, strerror(errno));
    thaw_release(comparison->context, folder);
}

void thaw_paused_drop(const thaw_comparison *comparison, const thaw_comparison_entry *entry)
{
    for (int i = 0; i < comparison->options.seeds; i++) {
        const uint64_t seed = comparison->options.first_seed + (uint64_t)i;
        thaw_paused_forget(comparison, entry, seed, thaw_paused_epochs(comparison, entry, seed));
    }
}

void thaw_paused_end(const thaw_comparison *comparison)
{
    for (size_t i = 0; i < comparison->entry_count; i++)
        thaw_paused_drop(comparison, &comparison->entries[i]);
    char *folder = path_of(comparison, NULL, 0, 0);
    if (folder)
        rmdir(folder);
    thaw_release(comparison->context, folder);
}

/* What is found before anything has changed. */
static bool is_harmless(thaw_status status)
{
    return status == THAW_IO_ERROR || status == THAW_BAD_FORMAT || status == THAW_INVALID_ARGUMENT;
}

thaw_status thaw_paused_continue(const thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                                 thaw_trainer *trainer, json_t *epochs)
{
    const size_t held = thaw_paused_epochs(comparison, entry, seed);
    char *path = held ? path_of(comparison, entry, seed, held) : NULL;
    const bool there = path && access(path, F_OK) == 0;
    thaw_release(comparison->context, there ? NULL : path);
    if (!there)
        return THAW_OK;
    const thaw_status status = thaw_trainer_load(trainer, path);
    if (status == THAW_OK)
        json_array_extend(epochs, json_object_get(entry->runs[seed - comparison->options.first_seed], "epochs"));
    else if (is_harmless(status))
        thaw_log(comparison->context, THAW_LOG_WARNING, "%s: cannot be continued; the run begins again", path);
    thaw_release(comparison->context, path);
    return is_harmless(status) ? THAW_OK : status;
}

void thaw_paused_save(const thaw_comparison *comparison, const thaw_comparison_entry *entry, uint64_t seed,
                      thaw_trainer *trainer)
{
    const size_t now = (size_t)comparison->epochs;
    if (entry->is_trial || now >= (size_t)comparison->options.epochs)
        return;
    char *path = path_of(comparison, entry, seed, now);
    if (path && thaw_trainer_save(trainer, path) != THAW_OK)
        thaw_log(comparison->context, THAW_LOG_WARNING, "%s: cannot be written; the next rung begins the run again",
                 path);
    thaw_release(comparison->context, path);
}
