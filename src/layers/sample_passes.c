#include "layers/sample_passes.h"

enum {
    GRAIN = 1 << 14, /* the fewest elements of a thread */
    PLACES = 64      /* of a chunk */
};

static size_t chunk_count(const thaw_samples *shape)
{
    return (shape->places + PLACES - 1) / PLACES;
}

size_t thaw_sample_sums(const thaw_samples *shape)
{
    return shape->samples * chunk_count(shape) * shape->channels;
}

typedef struct job {
    const thaw_sample_pass *pass;
    const thaw_pass_functions *loops;
} job;

/* A chunk as rows of the batch. */
typedef struct row_range {
    const thaw_pass_functions *loops;
    thaw_channel_pass pass;
    size_t begin, end; /* in the batch */
    double *sums, *products;
} row_range;

static const float *of_sample(const float *array, size_t first)
{
    return array ? array + first : NULL;
}

static row_range range_of(const job *j, size_t index)
{
    const thaw_sample_pass *p = j->pass;
    const size_t chunks = chunk_count(&p->shape), channels = p->shape.channels, places = p->shape.places;
    const size_t sample = index / chunks, place = index % chunks * PLACES, first = sample * channels;
    const size_t begin = sample * places + place, left = places - place;
    row_range found = { j->loops, .pass = p->batch, .begin = begin, .end = begin + (left < PLACES ? left : PLACES) };
    found.pass.mean = of_sample(p->batch.mean, first);
    found.pass.scale = of_sample(p->batch.scale, first);
    found.pass.shift = of_sample(p->batch.shift, first);
    found.pass.gradient_shift = of_sample(p->batch.gradient_shift, first);
    found.pass.gradient_rate = of_sample(p->batch.gradient_rate, first);
    found.sums = p->sums ? p->sums + index * channels : NULL;
    found.products = p->products ? p->products + index * channels : NULL;
    return found;
}

static void reduce(void *argument, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const row_range r = range_of(argument, i);
        r.loops->reduce(&r.pass, r.begin, r.end, r.sums, r.products);
    }
}

static void measure(void *argument, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const row_range r = range_of(argument, i);
        r.loops->measure(&r.pass, r.begin, r.end, r.sums, r.products);
    }
}

static void normalise(void *argument, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const row_range r = range_of(argument, i);
        r.loops->normalise(&r.pass, r.begin, r.end);
    }
}

static void differentiate(void *argument, size_t begin, size_t end)
{
    for (size_t i = begin; i < end; i++) {
        const row_range r = range_of(argument, i);
        r.loops->differentiate(&r.pass, r.begin, r.end);
    }
}

static void run_chunks(thaw_context *context, const thaw_sample_pass *pass,
                       void (*body)(void *argument, size_t begin, size_t end))
{
    const thaw_samples *shape = &pass->shape;
    const size_t places = shape->places < PLACES ? shape->places : PLACES;
    job j = { pass, THAW_FOR_LEVEL(thaw_context_cpu_level(context), &thaw_pass_loops) };
    thaw_parallel_for(context, shape->samples * chunk_count(shape), GRAIN / (places * shape->channels) + 1, body, &j);
}

void thaw_samples_reduce(thaw_context *context, const thaw_sample_pass *pass)
{
    run_chunks(context, pass, reduce);
}

void thaw_samples_measure(thaw_context *context, const thaw_sample_pass *pass)
{
    run_chunks(context, pass, measure);
}

void thaw_samples_normalise(thaw_context *context, const thaw_sample_pass *pass)
{
    run_chunks(context, pass, normalise);
}

void thaw_samples_differentiate(thaw_context *context, const thaw_sample_pass *pass)
{
    run_chunks(context, pass, differentiate);
}

double thaw_sample_total(const thaw_samples *shape, const double *sums, size_t sample, size_t channel)
{
    const size_t chunks = chunk_count(shape);
    double sum = 0;
    for (size_t chunk = 0; chunk < chunks; chunk++)
        sum += sums[(sample * chunks + chunk) * shape->channels + channel];
    return sum;
}
