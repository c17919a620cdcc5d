#include "layers/channel_passes.h"

#include "core/context.h"
#include "kernels/bfloat16.h"

/* Rows per chunk, and the fewest elements of a thread. */
enum { FEWEST_ROWS = 16, MOST_ROWS = 512, PARTS = 64, GRAIN = 1 << 14, CHANNEL_GRAIN = 128 };

static size_t chunk_rows(size_t rows)
{
    const size_t even = (rows + PARTS - 1) / PARTS;
    return even < FEWEST_ROWS ? FEWEST_ROWS : even > MOST_ROWS ? MOST_ROWS : even;
}

static size_t chunk_count(size_t rows)
{
    return (rows + chunk_rows(rows) - 1) / chunk_rows(rows);
}

/* For each chunk and channel: two sums, and the number from which values are measured. */
size_t thaw_channels_scratch_bytes(size_t rows, size_t channels)
{
    return chunk_count(rows) * channels * (2 * sizeof(double) + sizeof(float));
}

typedef struct job {
    const thaw_pass_functions *loops;
    const thaw_channel_pass *pass;
    size_t rows;
    double *sums, *products; /* of the chunks */
    float *shifts;
    double *first, *second; /* the results */
} job;

static job job_of(const thaw_context *context, const thaw_channel_pass *pass, size_t rows, void *scratch)
{
    const size_t count = chunk_count(rows) * pass->channels;
    job j = { .loops = THAW_FOR_LEVEL(context->level, &thaw_pass_loops), .pass = pass, .rows = rows, .sums = scratch };
    if (scratch) {
        j.products = j.sums + count;
        j.shifts = (float *)(j.products + count);
    }
    return j;
}

static size_t end_of_chunk(const job *j, size_t chunk)
{
    const size_t end = (chunk + 1) * chunk_rows(j->rows);
    return end < j->rows ? end : j->rows;
}

/* ---- mean and variance ---- */

/* The number from which a chunk's values are measured: that of its first row, so that a large mean costs a small
   variance no digits. */
static float shift_of_chunk(const job *j, size_t chunk, size_t channel)
{
    const size_t at = chunk * chunk_rows(j->rows) * j->pass->channels + channel;
    return j->pass->precision == THAW_F32 ? ((const float *)j->pass->input)[at]
                                          : thaw_bfloat16_widen(((const thaw_bfloat16 *)j->pass->input)[at]);
}

static void measure_chunks(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t channels = j->pass->channels;
    for (size_t chunk = begin; chunk < end; chunk++) {
        thaw_channel_pass pass = *j->pass;
        pass.shift = j->shifts + chunk * channels;
        for (size_t c = 0; c < channels; c++)
            j->shifts[chunk * channels + c] = shift_of_chunk(j, chunk, c);
        j->loops->measure(&pass, chunk * chunk_rows(j->rows), end_of_chunk(j, chunk), j->sums + chunk * channels,
                          j->products + chunk * channels);
    }
}

static void join_measures(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t channels = j->pass->channels, chunks = chunk_count(j->rows);
    for (size_t c = begin; c < end; c++) {
        double mean = 0, spread = 0;
        size_t seen = 0;
        for (size_t chunk = 0; chunk < chunks; chunk++) {
            const size_t count = end_of_chunk(j, chunk) - chunk * chunk_rows(j->rows);
            const double rows = (double)count, sum = j->sums[chunk * channels + c];
            const double from_mean = (double)j->shifts[chunk * channels + c] + sum / rows - mean;
            const double share = rows / (double)(seen + count);
            spread +=
                j->products[chunk * channels + c] - sum * sum / rows + from_mean * from_mean * (double)seen * share;
            mean += from_mean * share;
            seen += count;
        }
        j->first[c] = mean;
        j->second[c] = spread > 0 ? spread / (double)j->rows : spread < 0 ? 0 : spread; /* NaN stays */
    }
}

void thaw_channels_measure(thaw_context *context, const thaw_channel_pass *pass, size_t rows, double *mean,
                           double *variance, void *scratch)
{
    job j = job_of(context, pass, rows, scratch);
    j.first = mean;
    j.second = variance;
    thaw_parallel_for(context, chunk_count(rows), GRAIN / (chunk_rows(rows) * pass->channels) + 1, measure_chunks, &j);
    thaw_parallel_for(context, pass->channels, CHANNEL_GRAIN, join_measures, &j);
}

/* ---- sums for gradients ---- */

static void reduce_chunks(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t channels = j->pass->channels;
    for (size_t chunk = begin; chunk < end; chunk++)
        j->loops->reduce(j->pass, chunk * chunk_rows(j->rows), end_of_chunk(j, chunk), j->sums + chunk * channels,
                         j->second ? j->products + chunk * channels : NULL);
}

static void join_sums(const job *j, const double *chunks, double *results, size_t begin, size_t end)
{
    const size_t channels = j->pass->channels, count = chunk_count(j->rows);
    for (size_t c = begin; c < end; c++) {
        double sum = 0;
        for (size_t chunk = 0; chunk < count; chunk++)
            sum += chunks[chunk * channels + c];
        results[c] = sum;
    }
}

static void join_reductions(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    join_sums(j, j->sums, j->first, begin, end);
    if (j->second)
        join_sums(j, j->products, j->second, begin, end);
}

void thaw_channels_reduce(thaw_context *context, const thaw_channel_pass *pass, size_t rows, double *sums,
                          double *products, void *scratch)
{
    job j = job_of(context, pass, rows, scratch);
    j.first = sums;
    j.second = products;
    thaw_parallel_for(context, chunk_count(rows), GRAIN / (chunk_rows(rows) * pass->channels) + 1, reduce_chunks, &j);
    thaw_parallel_for(context, pass->channels, CHANNEL_GRAIN, join_reductions, &j);
}

/* ---- passes that write ---- */

static void normalise_range(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    j->loops->normalise(j->pass, begin, end);
}

static void differentiate_range(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    j->loops->differentiate(j->pass, begin, end);
}

void thaw_channels_normalise(thaw_context *context, const thaw_channel_pass *pass, size_t rows)
{
    job j = job_of(context, pass, rows, NULL);
    thaw_parallel_for(context, rows, GRAIN / pass->channels + 1, normalise_range, &j);
}

void thaw_channels_differentiate(thaw_context *context, const thaw_channel_pass *pass, size_t rows)
{
    job j = job_of(context, pass, rows, NULL);
    thaw_parallel_for(context, rows, GRAIN / pass->channels + 1, differentiate_range, &j);
}
