/* A data set of one channel as one of several, which all hold the same. */
#include "data/widened.h"

#include <string.h>
#include <thaw/runtime.h>

#include "data/dataset.h"

typedef struct widened {
    thaw_context *context;
    thaw_dataset *from;
    size_t channels;
    uint64_t epoch;
} widened;

/* In place, from the end: each value moves to a place that is not before its own. */
static void widen(float *samples, size_t count, size_t channels)
{
    for (size_t i = count; i-- > 0;) {
        const float value = samples[i];
        for (size_t c = 0; c < channels; c++)
            samples[i * channels + c] = value;
    }
}

static bool read_widened(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                         size_t capacity)
{
    const widened *w = user;
    if (!thaw_dataset_fetch(w->from, w->epoch, indices, count, samples, targets, message, capacity))
        return false;
    widen(samples, count * w->from->sample_elements, w->channels);
    return true;
}

static size_t length_of_widened(void *user, size_t index)
{
    const widened *w = user;
    size_t length;
    thaw_dataset_lengths(w->from, w->epoch, &(size_t){ index }, 1, &length);
    return length;
}

static void start_widened(void *user, uint64_t epoch)
{
    ((widened *)user)->epoch = epoch;
}

static void release_widened(void *user)
{
    widened *w = user;
    thaw_release(w->context, w);
}

/* Takes over `from`, which `*dataset` then owns. */
static thaw_status make(widened *w, thaw_dataset **dataset)
{
    thaw_dataset *from = w->from;
    thaw_source source = from->source;
    thaw_digest digest = { 0 };
    thaw_field field;
    source.sample_shape.dims[2] = (int64_t)w->channels;
    if (source.field_count) {
        field = (thaw_field){ source.fields[0].name, source.fields[0].dtype, source.sample_shape };
        source.fields = &field;
    }
    source.start_epoch = start_widened;
    source.read = read_widened;
    source.length = thaw_dataset_has_lengths(from) ? length_of_widened : NULL;
    source.release = release_widened;
    source.user = w;
    if (source.identity[0] || source.identity[1]) {
        thaw_digest_add(&digest, source.identity, sizeof source.identity);
        thaw_digest_add_number(&digest, w->channels);
        memcpy(source.identity, digest.lane, sizeof source.identity);
    }
    const thaw_status status = thaw_dataset_derive(w->context, &source, from, dataset);
    if (status != THAW_OK)
        return status;
    if (from->form.size)
        (*dataset)->form.channels = (int)w->channels;
    for (int c = 0; from->form.size && c < (int)w->channels; c++) {
        (*dataset)->form.mean[c] = from->form.mean[0];
        (*dataset)->form.std[c] = from->form.std[0];
    }
    (*dataset)->labels = from->labels;
    (*dataset)->owned = from;
    return THAW_OK;
}

thaw_status thaw_dataset_widen(thaw_context *context, thaw_dataset **dataset, size_t channels)
{
    thaw_dataset *from = *dataset;
    char text[80];
    const thaw_shape *shape = &from->source.sample_shape;
    thaw_status status = THAW_OK;
    widened *w = NULL;
    if (shape->rank == 3 && shape->dims[2] == (int64_t)channels)
        return THAW_OK;
    if (shape->rank != 3 || shape->dims[2] != 1)
        status = thaw_fail(context, THAW_INVALID_ARGUMENT,
                           "data set: channels=%zu is for images of one channel; samples have shape %s", channels,
                           thaw_shape_format(shape, text, sizeof text));
    if (status == THAW_OK && !(w = thaw_allocate(context, sizeof *w)))
        status = THAW_OUT_OF_MEMORY;
    if (status == THAW_OK) {
        *w = (widened){ .context = context, .from = from, .channels = channels };
        status = make(w, dataset);
    }
    if (status != THAW_OK) {
        thaw_dataset_destroy(from);
        *dataset = NULL;
    }
    return status;
}

thaw_status thaw_dataset_widen_parts(thaw_context *context, thaw_dataset **training, thaw_dataset **test,
                                     size_t channels)
{
    thaw_dataset **const parts[] = { training, test };
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < THAW_COUNT(parts); i++)
        if (status == THAW_OK && parts[i] && *parts[i])
            status = thaw_dataset_widen(context, parts[i], channels);
    for (size_t i = 0; i < THAW_COUNT(parts) && status != THAW_OK; i++)
        if (parts[i]) {
            thaw_dataset_destroy(*parts[i]);
            *parts[i] = NULL;
        }
    return status;
}
