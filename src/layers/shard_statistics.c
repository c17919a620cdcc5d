#include "layers/shard_statistics.h"

#include <string.h>

/* The rows come first, 0 where a shard has no samples; then both numbers of each channel. */
size_t thaw_shard_statistics_count(size_t channels)
{
    return 1 + 2 * channels;
}

thaw_shard_statistics thaw_shard_statistics_own(const thaw_shared_sums *sums, size_t channels)
{
    return (thaw_shard_statistics){ sums->own + 1, sums->own + 1 + channels };
}

thaw_shard_statistics thaw_shard_statistics_begin(const thaw_shared_sums *sums, size_t channels, size_t rows)
{
    sums->own[0] = (double)rows;
    return thaw_shard_statistics_own(sums, channels);
}

/* What a shard has sent. */
typedef struct sent {
    double rows;
    const double *first, *second; /* of each channel */
} sent;

static sent sent_by(const thaw_shared_sums *sums, size_t channels, size_t shard)
{
    const double *numbers = sums->all + shard * thaw_shard_statistics_count(channels);
    return (sent){ .rows = numbers[0], .first = numbers + 1, .second = numbers + 1 + channels };
}

/* `variance` holds sums of squared distances until all are joined. */
size_t thaw_shard_statistics_join(const thaw_shared_sums *sums, size_t channels, double *mean, double *variance)
{
    double seen = 0;
    memset(mean, 0, channels * sizeof *mean);
    memset(variance, 0, channels * sizeof *variance);
    for (size_t shard = 0; shard < sums->shards; shard++) {
        const sent of = sent_by(sums, channels, shard);
        if (of.rows == 0)
            continue;
        const double share = of.rows / (seen + of.rows);
        for (size_t c = 0; c < channels; c++) {
            const double distance = of.first[c] - mean[c];
            variance[c] += of.second[c] * of.rows + distance * distance * seen * share;
            mean[c] += distance * share;
        }
        seen += of.rows;
    }
    for (size_t c = 0; c < channels && seen > 0; c++)
        variance[c] /= seen;
    return (size_t)seen;
}

size_t thaw_shard_statistics_add(const thaw_shared_sums *sums, size_t channels, double *first, double *second)
{
    double rows = 0;
    memset(first, 0, channels * sizeof *first);
    memset(second, 0, channels * sizeof *second);
    for (size_t shard = 0; shard < sums->shards; shard++) {
        const sent of = sent_by(sums, channels, shard);
        rows += of.rows;
        for (size_t c = 0; c < channels; c++) {
            first[c] += of.first[c];
            second[c] += of.second[c];
        }
    }
    return (size_t)rows;
}
