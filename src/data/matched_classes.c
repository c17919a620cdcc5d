/* Classes matched by name: a data set under the labels of another. */
#include <string.h>

#include "core/allocation.h"
#include "core/digest.h"
#include "core/nearest.h"
#include "data/dataset.h"

/* The classes to match. */
typedef struct class_list {
    const char *const *names;
    size_t count;
} class_list;

typedef struct matched {
    thaw_context *context;
    thaw_dataset *from;
    int32_t *label; /* of each class of `from` */
    uint64_t epoch;
} matched;

static bool read_matched(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    const matched *under = user;
    int32_t *labels = targets;
    if (!thaw_dataset_fetch(under->from, under->epoch, indices, count, samples, targets, message, capacity))
        return false;
    for (size_t i = 0; i < count; i++)
        if (labels[i] >= 0 && (size_t)labels[i] < under->from->source.classes)
            labels[i] = under->label[labels[i]];
    return true;
}

static size_t length_of_matched(void *user, size_t index)
{
    const matched *under = user;
    size_t length;
    thaw_dataset_lengths(under->from, under->epoch, &(size_t){ index }, 1, &length);
    return length;
}

static void start_matched(void *user, uint64_t epoch)
{
    ((matched *)user)->epoch = epoch;
}

static void expect_matched(void *user, const size_t *indices, size_t count)
{
    const matched *under = user;
    under->from->expect(under->from->source.user, indices, count);
}

static void log_matched(void *user)
{
    thaw_dataset_log_findings(((const matched *)user)->from);
}

static void release_matched(void *user)
{
    matched *under = user;
    thaw_release(under->context, under->label);
    thaw_release(under->context, under);
}

static thaw_status fail_unmatched(thaw_context *context, const char *name, const class_list *to)
{
    const char *nearest = thaw_nearest(name, to->names, to->count);
    return thaw_fail(context, THAW_NOT_FOUND,
                     "class \"%.200s\" is none of the %zu classes from \"%.100s\" to \"%.100s\"%s%.100s%s", name,
                     to->count, to->names[0], to->names[to->count - 1], THAW_DID_YOU_MEAN(nearest));
}

static thaw_status find_labels(matched *under, const class_list *to)
{
    const thaw_source *from = &under->from->source;
    under->label = thaw_allocate_array(under->context, from->classes, sizeof *under->label);
    if (!under->label)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < from->classes; i++) {
        size_t label = 0;
        while (label < to->count && strcmp(from->class_names[i], to->names[label]) != 0)
            label++;
        if (label == to->count)
            return fail_unmatched(under->context, from->class_names[i], to);
        under->label[i] = (int32_t)label;
    }
    return THAW_OK;
}

/* The identity of the data set, combined with its labels. */
static void identify(const matched *under, thaw_source *source)
{
    if (!source->identity[0] && !source->identity[1])
        return;
    thaw_digest digest = { 0 };
    thaw_digest_add(&digest, source->identity, sizeof source->identity);
    thaw_digest_add(&digest, under->label, under->from->source.classes * sizeof *under->label);
    memcpy(source->identity, digest.lane, sizeof source->identity);
}

static thaw_status make(matched *under, const class_list *to, thaw_dataset **dataset)
{
    const thaw_dataset *from = under->from;
    thaw_source source = from->source;
    source.classes = to->count;
    source.class_names = to->names;
    source.start_epoch = start_matched;
    source.read = read_matched;
    source.length = thaw_dataset_has_lengths(from) ? length_of_matched : NULL;
    source.release = release_matched;
    source.user = under;
    identify(under, &source);
    const thaw_status status = thaw_dataset_derive(under->context, &source, from, dataset);
    if (status != THAW_OK)
        return status;
    (*dataset)->outside = from->outside;
    (*dataset)->outside_label = from->outside_label;
    (*dataset)->expect = from->expect ? expect_matched : NULL;
    (*dataset)->log_findings = log_matched;
    return THAW_OK;
}

static thaw_status match(thaw_context *context, thaw_dataset *from, const class_list *to, thaw_dataset **dataset)
{
    *dataset = NULL;
    if (!from->source.class_names || !to->names || !to->count)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: its classes have no names to match");
    thaw_status status = thaw_dataset_check_labels(from, "matched");
    if (status != THAW_OK)
        return status;
    matched *under = thaw_allocate(context, sizeof *under);
    if (!under)
        return THAW_OUT_OF_MEMORY;
    *under = (matched){ .context = context, .from = from };
    status = find_labels(under, to);
    if (status == THAW_OK)
        return make(under, to, dataset);
    release_matched(under);
    return status;
}

thaw_status thaw_dataset_match_classes(thaw_context *context, thaw_dataset *from, const thaw_dataset *reference,
                                       thaw_dataset **dataset)
{
    const class_list to = { reference->source.class_names, reference->source.classes };
    return match(context, from, &to, dataset);
}

thaw_status thaw_dataset_match_names(thaw_context *context, thaw_dataset *from, const char *const *names, size_t count,
                                     thaw_dataset **dataset)
{
    const class_list to = { names, count };
    return match(context, from, &to, dataset);
}
