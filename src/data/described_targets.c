#include "data/described_targets.h"

#include <string.h>
#include <thaw/notes.h>

#include "core/allocation.h"

thaw_status thaw_describe_scale(thaw_description *into, char *value)
{
    size_t which;
    const thaw_status status =
        thaw_describe_word(into, "scale-target", value, (const char *const[]){ "yes", "no" }, 2, &which);
    into->scale = which == 1 ? THAW_SCALE_NEVER : THAW_SCALE_ALWAYS;
    return status;
}

bool thaw_targets_are_noted(const thaw_description *from)
{
    const char *task = from->notes ? thaw_notes_find(from->notes, "thaw.task") : NULL;
    return task && strcmp(task, "regression") == 0;
}

/* The scale of the outputs that the file's network has. */
static thaw_status read_noted(const thaw_description *from, thaw_target_scale *scale)
{
    const char *text = thaw_notes_find(from->notes, "thaw.targets");
    if (from->scale == (text ? THAW_SCALE_NEVER : THAW_SCALE_ALWAYS))
        return thaw_fail(from->context, THAW_INVALID_ARGUMENT,
                         "%s: scale-target=%s, but the weights were trained with scale-target=%s", from->name,
                         text ? "no" : "yes", text ? "yes" : "no");
    return text ? thaw_target_scale_read(from->context, text, scale) : THAW_OK;
}

thaw_status thaw_targets_scale(const thaw_description *from, bool new_targets, thaw_samples *all, thaw_samples *part)
{
    thaw_context *context = from->context;
    thaw_samples *const parts[] = { all, part };
    thaw_target_scale scale = { 0 };
    thaw_status status = THAW_OK;
    if (all->task != THAW_TASK_REGRESSION || !all->targets.data)
        return THAW_OK;
    const bool noted = thaw_targets_are_noted(from) && !new_targets;
    if (noted)
        status = read_noted(from, &scale);
    const bool foreign = scale.count && (int64_t)scale.count != all->targets.shape.dims[1];
    if (foreign)
        thaw_target_scale_release(context, &scale);
    if (status == THAW_OK && (!noted || foreign) && from->scale != THAW_SCALE_NEVER)
        status = thaw_target_scale_fit(context, &all->targets, &scale);
    for (size_t i = 0; i < THAW_COUNT(parts) && status == THAW_OK && scale.count; i++) {
        if (!parts[i]->targets.data)
            continue;
        status = thaw_target_scale_apply(context, &scale, &parts[i]->targets);
        if (status == THAW_OK)
            status = thaw_target_scale_copy(context, &scale, &parts[i]->scale);
    }
    thaw_target_scale_release(context, &scale);
    return status;
}
