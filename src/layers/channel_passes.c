#include "layers/channel_passes.h"

#include "core/context.h"
#include "kernels/bfloat16.h"

/* Rows a part, and elements that a thread takes on at least. */
enum { FEWEST_ROWS = 16, MOST_ROWS = 512, PARTS = 64, GRAIN = 1 << 14, CHANNEL_GRAIN = 128 };

static size_t part_rows(size_t rows)
{
    const size_t even = (rows + PARTS - 1) / PARTS;
    return even < FEWEST_ROWS ? FEWEST_ROWS : even > MOST_ROWS ? MOST_ROWS : even;
}

static size_t part_count(size_t rows)
{
    return (rows + part_rows(rows) - 1) / part_rows(rows);
}

/* For each part and channel two sums, and what the values are measured from. */
size_t thaw_channels_scratch_bytes(size_t rows, size_t channels)
{
    return part_count(rows) * channels * (2 * sizeof(double) + sizeof(float));
}

typedef struct job {
    const thaw_pass_functions *loops;
    const thaw_channel_pass *pass;
    size_t rows;
    double *sums, *products; /* of the parts */
    float *shifts;
    double *first, *second; /* the results */
} job;

static job job_of(const thaw_context *context, const thaw_channel_pass *pass, size_t rows, void *scratch)
{
    const size_t count = part_count(rows) * pass->channels;
    job j = { .loops = THAW_FOR_LEVEL(context->level, &thaw_pass_loops), .pass = pass, .rows = rows, .sums = scratch };
    if (scratch) {
        j.products = j.sums + count;
        j.shifts = (float *)(j.products + count);
    }
    return j;
}

static size_t end_of_part(const job *j, size_t part)
{
    const size_t end = (part + 1) * part_rows(j->rows);
    return end < j->rows ? end : j->rows;
}

/* ---- mean and variance ---- */

/* What a part's values are measured from: its first row, so that large means take no digits from small variances. */
static float shift_of_part(const job *j, size_t part, size_t channel)
{
    const size_t at = part * part_rows(j->rows) * j->pass->channels + channel;
    return j->pass->precision == THAW_F32 ? ((const float *)j->pass->input)[at]
                                          : thaw_bfloat16_widen(((const thaw_bfloat16 *)j->pass->input)[at]);
}

static void measure_parts(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t channels = j->pass->channels;
    for (size_t part = begin; part < end; part++) {
        thaw_channel_pass pass = *j->pass;
        pass.shift = j->shifts + part * channels;
        for (size_t c = 0; c < channels; c++)
            j->shifts[part * channels + c] = shift_of_part(j, part, c);
        j->loops->measure(&pass, part * part_rows(j->rows), end_of_part(j, part), j->sums + part * channels,
                          j->products + part * channels);
    }
}

static void join_measures(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t channels = j->pass->channels, parts = part_count(j->rows);
    for (size_t c = begin; c < end; c++) {
        double mean = 0, spread = 0;
        size_t seen = 0;
        for (size_t part = 0; part < parts; part++) {
            const size_t count = end_of_part(j, part) - part * part_rows(j->rows);
            const double rows = (double)count, sum = j->sums[part * channels + c];
            const double from_mean = (double)j->shifts[part * channels + c] + sum / rows - mean;
            const double share = rows / (double)(seen + count);
            spread +=
                j->products[part * channels + c] - sum * sum / rows + from_mean * from_mean * (double)seen * share;
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
    thaw_parallel_for(context, part_count(rows), GRAIN / (part_rows(rows) * pass->channels) + 1, measure_parts, &j);
    thaw_parallel_for(context, pass->channels, CHANNEL_GRAIN, join_measures, &j);
}

/* ---- sums for gradients ---- */

static void reduce_parts(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    const size_t channels = j->pass->channels;
    for (size_t part = begin; part < end; part++)
        j->loops->reduce(j->pass, part * part_rows(j->rows), end_of_part(j, part), j->sums + part * channels,
                         j->second ? j->products + part * channels : NULL);
}

static void join_sums(const job *j, const double *parts, double *results, size_t begin, size_t end)
{
    const size_t channels = j->pass->channels, count = part_count(j->rows);
    for (size_t c = begin; c < end; c++) {
        double sum = 0;
        for (size_t part = 0; part < count; part++)
            sum += parts[part * channels + c];
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
    thaw_parallel_for(context, part_count(rows), GRAIN / (part_rows(rows) * pass->channels) + 1, reduce_parts, &j);
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
