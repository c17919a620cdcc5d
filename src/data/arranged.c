/* A data set of some fields of another. */
#include <string.h>

#include "core/allocation.h"
#include "data/dataset.h"
#include "data/fields.h"

enum { CHUNK = 32 /* samples that are read at a time */ };

typedef struct arranged {
    thaw_context *context;
    thaw_dataset *from;
    size_t fields[THAW_MOST_FIELDS], values[THAW_MOST_FIELDS], count;
    float *samples; /* CHUNK of `from` */
    uint64_t epoch;
} arranged;

/* Where a field of a sample begins, in floats. */
static size_t place_of(const thaw_dataset *dataset, size_t field)
{
    size_t place = 0;
    for (size_t i = 0; i < field; i++)
        place += thaw_shape_count(&dataset->fields[i].shape);
    return place;
}

static float *copy_sample(const arranged *a, const float *from, float *into)
{
    for (size_t k = 0; k < a->count; k++) {
        if (a->fields[k] == THAW_NO_FIELD)
            memset(into, 0, a->values[k] * sizeof *into);
        else
            memcpy(into, from + place_of(a->from, a->fields[k]), a->values[k] * sizeof *into);
        into += a->values[k];
    }
    return into;
}

static bool read_arranged(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                          size_t capacity)
{
    const arranged *a = user;
    char *at = targets;
    for (size_t begin = 0; begin < count; begin += CHUNK) {
        const size_t size = count - begin < CHUNK ? count - begin : CHUNK;
        if (!thaw_dataset_fetch(a->from, a->epoch, indices + begin, size, a->samples, at, message, capacity))
            return false;
        for (size_t i = 0; i < size; i++)
            samples = copy_sample(a, a->samples + i * a->from->sample_elements, samples);
        at += size * a->from->target_bytes;
    }
    return true;
}

static size_t length_of_arranged(void *user, size_t index)
{
    const arranged *a = user;
    size_t length;
    thaw_dataset_lengths(a->from, a->epoch, &(size_t){ index }, 1, &length);
    return length;
}

static void start_arranged(void *user, uint64_t epoch)
{
    ((arranged *)user)->epoch = epoch;
}

static void expect_arranged(void *user, const size_t *indices, size_t count)
{
    const arranged *a = user;
    a->from->expect(a->from->source.user, indices, count);
}

static void log_arranged(void *user)
{
    thaw_dataset_log_findings(((const arranged *)user)->from);
}

static void release_arranged(void *user)
{
    arranged *a = user;
    thaw_release(a->context, a->samples);
    thaw_release(a->context, a);
}

/* The identity of the data set, combined with the order of its fields. */
static void identify(const arranged *a, thaw_source *source)
{
    if (!source->identity[0] && !source->identity[1])
        return;
    thaw_digest digest = { 0 };
    thaw_digest_add(&digest, source->identity, sizeof source->identity);
    thaw_digest_add(&digest, a->fields, a->count * sizeof *a->fields);
    memcpy(source->identity, digest.lane, sizeof source->identity);
}

thaw_status thaw_dataset_arrange(thaw_dataset *from, const size_t *fields, const thaw_field *absent, size_t count,
                                 thaw_dataset **dataset)
{
    thaw_context *context = from->context;
    thaw_field chosen[THAW_MOST_FIELDS];
    *dataset = NULL;
    arranged *a = thaw_allocate(context, sizeof *a);
    if (!a)
        return THAW_OUT_OF_MEMORY;
    *a = (arranged){ .context = context, .from = from, .count = count };
    a->samples = thaw_allocate_array(context, from->sample_elements, CHUNK * sizeof *a->samples);
    if (!a->samples) {
        release_arranged(a);
        return THAW_OUT_OF_MEMORY;
    }
    for (size_t k = 0; k < count; k++) {
        a->fields[k] = fields[k];
        chosen[k] = fields[k] == THAW_NO_FIELD ? absent[k] : from->fields[fields[k]];
        a->values[k] = thaw_shape_count(&chosen[k].shape);
    }
    thaw_source source = from->source;
    source.fields = chosen;
    source.field_count = count;
    source.start_epoch = start_arranged;
    source.read = read_arranged;
    source.length = thaw_dataset_has_lengths(from) ? length_of_arranged : NULL;
    source.release = release_arranged;
    source.user = a;
    identify(a, &source);
    const thaw_status status = thaw_dataset_derive(context, &source, from, dataset);
    if (status != THAW_OK)
        return status;
    (*dataset)->labels = from->labels;
    (*dataset)->outside = from->outside;
    (*dataset)->outside_label = from->outside_label;
    (*dataset)->expect = from->expect ? expect_arranged : NULL;
    (*dataset)->log_findings = log_arranged;
    return THAW_OK;
}
