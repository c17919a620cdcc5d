#include "data/held_out.h"

#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/number.h"
#include "data/dataset.h"
#include "data/selection.h"
#include "data/shuffle.h"

typedef struct division {
    thaw_context *context;
    thaw_dataset *from;
    size_t count;    /* samples, repetitions aside */
    size_t *order;   /* of the samples, by chance */
    int32_t *labels; /* of the samples; NULL: there are no classes */
    size_t *quotas;  /* of samples that are still to be held out, by class; without classes, of one */
    bool *held;
    size_t held_count;
} division;

/* Of so many samples of a class. */
static size_t quota_of(size_t count, double share)
{
    const double wanted = floor((double)count * share + 0.5);
    if (count < 2)
        return 0;
    return wanted < 1 ? 1 : wanted > (double)(count - 1) ? count - 1 : (size_t)wanted;
}

static size_t class_of(const division *d, size_t sample)
{
    return d->labels ? (size_t)d->labels[sample] : 0;
}

static bool has_class(const division *d, size_t sample)
{
    return !d->labels || (d->labels[sample] >= 0 && (size_t)d->labels[sample] < d->from->source.classes);
}

static void choose(division *d, size_t classes, double share, uint64_t seed)
{
    for (size_t i = 0; i < d->count; i++)
        if (has_class(d, i))
            d->quotas[class_of(d, i)]++;
    for (size_t c = 0; c < classes; c++)
        d->quotas[c] = quota_of(d->quotas[c], share);
    thaw_shuffle(d->context, seed, 0, d->order, d->count);
    for (size_t k = 0; k < d->count; k++) {
        const size_t i = d->order[k];
        if (!has_class(d, i) || d->quotas[class_of(d, i)] == 0)
            continue;
        d->quotas[class_of(d, i)]--;
        d->held[i] = true;
        d->held_count++;
    }
}

/* Makes a data set of the samples that are held out, or of the others. */
static thaw_status take(const division *d, bool held, size_t repeat, thaw_dataset **dataset)
{
    const size_t count = held ? d->held_count : d->count - d->held_count;
    size_t *indices = thaw_allocate_array(d->context, count, sizeof *indices), taken = 0;
    if (!indices)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < d->count; i++)
        if (d->held[i] == held)
            indices[taken++] = i;
    return thaw_take_samples(d->context, d->from, indices, count, repeat, dataset);
}

static thaw_status read_labels(division *d)
{
    const size_t all = thaw_dataset_count(d->from);
    if (d->from->source.classes == 0 || thaw_dataset_task(d->from) != THAW_TASK_CLASSES)
        return THAW_OK;
    d->labels = thaw_allocate_array(d->context, all, sizeof *d->labels);
    return d->labels ? thaw_dataset_collect_labels(d->from, d->labels) : THAW_OUT_OF_MEMORY;
}

static thaw_status divide(division *d, double share, uint64_t seed, thaw_dataset **rest, thaw_dataset **held_out)
{
    const size_t classes = d->from->source.classes ? d->from->source.classes : 1;
    const size_t repeat = thaw_dataset_count(d->from) / d->count;
    d->order = thaw_allocate_array(d->context, d->count, sizeof *d->order);
    d->held = thaw_allocate_array(d->context, d->count, sizeof *d->held);
    d->quotas = thaw_allocate_array(d->context, classes, sizeof *d->quotas);
    if (!d->order || !d->held || !d->quotas)
        return THAW_OUT_OF_MEMORY;
    thaw_status status = read_labels(d);
    if (status != THAW_OK)
        return status;
    choose(d, classes, share, seed);
    if (d->held_count == 0)
        return thaw_fail(d->context, THAW_INVALID_ARGUMENT,
                         "data set: of %zu samples none can be held out, there must be two of a class", d->count);
    status = take(d, false, repeat, rest);
    return status == THAW_OK ? take(d, true, 1, held_out) : status;
}

thaw_status thaw_dataset_hold_out(thaw_context *context, thaw_dataset *from, double share, uint64_t seed,
                                  thaw_dataset **rest, thaw_dataset **held_out)
{
    *rest = *held_out = NULL;
    if (!(share > 0) || !(share < 1))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: %g of the samples, must be above 0 and below 1",
                         thaw_printed(share));
    if (from->drawn)
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "data set: its samples are drawn, so the same ones could be in both parts");
    division d = { .context = context,
                   .from = from,
                   .count = from->repeats_after ? from->repeats_after : thaw_dataset_count(from) };
    thaw_status status = divide(&d, share, seed, rest, held_out);
    if (status != THAW_OK) {
        thaw_dataset_destroy(*rest);
        *rest = NULL;
    }
    void *const rooms[] = { d.order, d.labels, d.quotas, d.held };
    for (size_t i = 0; i < THAW_COUNT(rooms); i++)
        thaw_release(context, rooms[i]);
    return status;
}
