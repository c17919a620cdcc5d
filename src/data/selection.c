#include "data/selection.h"

#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/digest.h"
#include "data/dataset.h"

typedef struct selected {
    thaw_context *context;
    thaw_dataset *from;
    size_t *indices; /* in `from`, of the samples that were kept */
    size_t kept;
    int32_t first_class;
    uint64_t epoch;
} selected;

static size_t find_kept(const void *user, size_t index)
{
    const selected *from = user;
    return from->indices[index % from->kept];
}

static bool read_selected(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                          size_t capacity)
{
    const selected *from = user;
    int32_t *labels = targets;
    if (!thaw_dataset_fetch_mapped(from->from, from->epoch, find_kept, from, indices, count, samples, targets, message,
                                   capacity))
        return false;
    for (size_t i = 0; i < count && from->first_class > 0; i++)
        labels[i] -= from->first_class;
    return true;
}

static size_t length_of_selected(void *user, size_t index)
{
    const selected *s = user;
    size_t length;
    thaw_dataset_lengths(s->from, s->epoch, &(size_t){ s->indices[index % s->kept] }, 1, &length);
    return length;
}

static void start_selected(void *user, uint64_t epoch)
{
    ((selected *)user)->epoch = epoch;
}

static void log_selected(void *user)
{
    const selected *from = user;
    thaw_dataset_log_findings(from->from);
}

static void release_selected(void *user)
{
    selected *from = user;
    thaw_release(from->context, from->indices);
    thaw_release(from->context, from);
}

/* Writes the indices of the samples to keep, in file order. */
static size_t keep(const int32_t *labels, size_t count, const thaw_dataset_selection *selection, size_t *class_counts,
                   size_t *indices)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t label = (size_t)labels[i];
        if (labels[i] < 0 || label < selection->first_class || label > selection->last_class)
            continue;
        size_t *of_class = &class_counts[label - selection->first_class];
        if (selection->per_class && *of_class == selection->per_class)
            continue;
        ++*of_class;
        indices[kept++] = i;
    }
    return kept;
}

static thaw_status fill(selected *into, const thaw_dataset_selection *selection)
{
    thaw_context *context = into->context;
    const size_t count = into->from->source.count;
    int32_t *labels = thaw_allocate_array(context, count, sizeof *labels);
    size_t *class_counts =
        thaw_allocate_array(context, selection->last_class - selection->first_class + 1, sizeof *class_counts);
    into->indices = thaw_allocate_array(context, count, sizeof *into->indices);
    thaw_status status = labels && class_counts && into->indices ? THAW_OK : THAW_OUT_OF_MEMORY;
    if (status == THAW_OK)
        status = thaw_dataset_collect_labels(into->from, labels);
    if (status == THAW_OK) {
        into->kept = keep(labels, count, selection, class_counts, into->indices);
        if (into->kept == 0)
            status = thaw_fail(context, THAW_NOT_FOUND, "data set: no sample has a class from %zu to %zu",
                               selection->first_class, selection->last_class);
    }
    thaw_release(context, labels);
    thaw_release(context, class_counts);
    return status;
}

/* The identity of the whole, combined with the choice of samples. */
static void identify(const selected *from, thaw_source *source)
{
    const uint64_t *whole = from->from->source.identity;
    if (!whole[0] && !whole[1])
        return;
    thaw_digest digest = { 0 };
    thaw_digest_add(&digest, whole, sizeof source->identity);
    thaw_digest_add(&digest, from->indices, from->kept * sizeof *from->indices);
    thaw_digest_add_number(&digest, source->classes);
    memcpy(source->identity, digest.lane, sizeof source->identity);
}

static thaw_status check(thaw_context *context, const thaw_dataset *from, const thaw_dataset_selection *selection)
{
    const size_t classes = from->source.classes;
    const thaw_status status = thaw_dataset_check_labels(from, "selected");
    if (status != THAW_OK)
        return status;
    if (selection->first_class > selection->last_class || selection->last_class >= classes)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: classes are %zu to %zu, must be within 0 to %zu",
                         selection->first_class, selection->last_class, classes - 1);
    return THAW_OK;
}

/* Makes a data set of what was chosen, which it takes over. */
static thaw_status make(selected *into, size_t classes, size_t repeat, thaw_dataset **dataset)
{
    thaw_dataset *from = into->from;
    thaw_source source = from->source;
    if (!thaw_multiply_sizes(into->kept, repeat, &source.count)) {
        const size_t kept = into->kept;
        release_selected(into);
        return thaw_fail(from->context, THAW_INVALID_ARGUMENT,
                         "data set: %zu samples repeated %zu times overflow a size", kept, repeat);
    }
    source.classes = classes;
    if (source.class_names)
        source.class_names += into->first_class;
    source.start_epoch = start_selected;
    source.read = read_selected;
    source.length = thaw_dataset_has_lengths(from) ? length_of_selected : NULL;
    source.release = release_selected;
    source.user = into;
    identify(into, &source);
    const thaw_status status = thaw_dataset_derive(into->context, &source, from, dataset);
    if (status != THAW_OK)
        return status;
    (*dataset)->log_findings = log_selected;
    (*dataset)->drawn = from->drawn || from->repeats_after > 0;
    (*dataset)->repeats_after = repeat > 1 ? into->kept : 0;
    return THAW_OK;
}

thaw_status thaw_select_samples(thaw_context *context, thaw_dataset *from, const thaw_dataset_selection *selection,
                                thaw_dataset **dataset)
{
    *dataset = NULL;
    thaw_status status = check(context, from, selection);
    if (status != THAW_OK)
        return status;
    selected *into = thaw_allocate(context, sizeof *into);
    if (!into)
        return THAW_OUT_OF_MEMORY;
    *into = (selected){ .context = context, .from = from, .first_class = (int32_t)selection->first_class };
    status = fill(into, selection);
    if (status == THAW_OK)
        return make(into, selection->last_class - selection->first_class + 1, selection->repeat ? selection->repeat : 1,
                    dataset);
    release_selected(into);
    return status;
}

thaw_status thaw_take_samples(thaw_context *context, thaw_dataset *from, size_t *indices, size_t count, size_t repeat,
                              thaw_dataset **dataset)
{
    *dataset = NULL;
    selected *into = thaw_allocate(context, sizeof *into);
    if (!into) {
        thaw_release(context, indices);
        return THAW_OUT_OF_MEMORY;
    }
    *into = (selected){ .context = context, .from = from, .indices = indices, .kept = count };
    return make(into, from->source.classes, repeat, dataset);
}

thaw_status thaw_select_owned(thaw_context *context, thaw_dataset *whole, const thaw_dataset_selection *selection,
                              thaw_dataset **dataset)
{
    thaw_dataset_selection adjusted = *selection;
    if (adjusted.last_class == SIZE_MAX && whole->source.classes)
        adjusted.last_class = whole->source.classes - 1;
    const thaw_status status = thaw_select_samples(context, whole, &adjusted, dataset);
    if (status == THAW_OK)
        (*dataset)->owned = whole;
    else
        thaw_dataset_destroy(whole);
    return status;
}

thaw_status thaw_dataset_select(thaw_context *context, thaw_dataset *from, const thaw_dataset_selection *selection,
                                thaw_dataset **dataset)
{
    thaw_dataset_selection adjusted = *selection;
    if (adjusted.first_class == 0 && adjusted.last_class == 0 && from->source.classes)
        adjusted.last_class = from->source.classes - 1;
    return thaw_select_samples(context, from, &adjusted, dataset);
}
