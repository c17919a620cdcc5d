/* The rows of a feature cache on several ranks: whose they are, and how they reach the rank that needs them. */
#include "features/feature_shares.h"

#include <string.h>

#include "support/ranks.h"

enum { SAMPLES = 1000, BATCH = 30, SHARDS = 6, ROW = 3, VIEWS = 2 };

/* Of each sample: three bytes that tell it from the others. */
static void write_row(unsigned char *row, size_t sample)
{
    row[0] = (unsigned char)sample;
    row[1] = (unsigned char)(sample >> 8);
    row[2] = (unsigned char)(sample * 7 + 1);
}

/* An order of all samples that has no pattern. */
static void order(size_t *indices, size_t factor)
{
    for (size_t i = 0; i < SAMPLES; i++)
        indices[i] = (i * factor + factor) % SAMPLES;
}

static thaw_shard_part part_of(const thaw_communicator *communicator, size_t all)
{
    const size_t each = SHARDS / (size_t)communicator->ranks, rank = (size_t)communicator->rank;
    return thaw_shard_part_of_range(all, (thaw_shard_range){ SHARDS, rank * each, (rank + 1) * each });
}

/* Every rank computes its part of each batch in one order, once for each view, and reads its part in others. */
static void fill_and_read(void *argument, const thaw_communicator *communicator)
{
    static const size_t factors[] = { 7, 13, 1, 333, 911 };
    thaw_context *context = support_context(1);
    const thaw_spread spread = { communicator, SHARDS, BATCH };
    const thaw_feature_rows_size size = { SAMPLES, VIEWS, ROW };
    thaw_feature_shares *shares;
    size_t indices[SAMPLES], found = 0, kept = 0;
    (void)argument;
    assert_ok(context, thaw_feature_shares_create(context, &spread, &size, &shares));
    for (size_t epoch = 0; epoch < THAW_COUNT(factors); epoch++) {
        order(indices, factors[epoch]);
        thaw_feature_shares_use_view(shares, epoch % VIEWS);
        for (size_t first = 0; first < SAMPLES; first += BATCH) {
            const size_t all = SAMPLES - first < BATCH ? SAMPLES - first : BATCH;
            const size_t *batch = indices + first;
            const thaw_shard_part part = part_of(communicator, all);
            const void *rows[BATCH];
            if (epoch < VIEWS)
                found += thaw_feature_shares_claim(shares, batch, all);
            else
                assert_ok(context, thaw_feature_shares_read(shares, batch, all, rows));
            for (size_t i = 0; i < part.count; i++) {
                const size_t sample = batch[part.first + i];
                unsigned char wanted[ROW];
                write_row(wanted, sample + epoch % VIEWS * SAMPLES);
                if (epoch < VIEWS) {
                    void *own = thaw_feature_shares_own(shares, sample);
                    cr_assert_not_null(own, "rank %d computes sample %zu", communicator->rank, sample);
                    memcpy(own, wanted, ROW);
                    kept++;
                } else {
                    cr_assert_eq(memcmp(rows[i], wanted, ROW), 0, "epoch %zu, rank %d: sample %zu has another row",
                                 epoch, communicator->rank, sample);
                }
            }
        }
    }
    cr_assert_eq(found, VIEWS * SAMPLES);
    cr_assert_leq(kept, thaw_feature_shares_room(shares));
    cr_assert_eq(thaw_feature_shares_claim(shares, indices, BATCH), 0, "all have been claimed");
    thaw_feature_shares_release(shares);
    thaw_context_destroy(context);
}

Test(shares, rows_reach_the_rank_that_needs_them)
{
    for (int ranks = 1; ranks <= SHARDS; ranks++)
        if (SHARDS % ranks == 0)
            run_ranks(ranks, fill_and_read, NULL);
}

/* If one rank computed everything, it would run out of room; the rest is left to others. */
static void claim_by_one(void *argument, const thaw_communicator *communicator)
{
    thaw_context *context = support_context(1);
    const thaw_spread spread = { communicator, 2, 2 };
    const thaw_feature_rows_size size = { SAMPLES, 1, ROW };
    thaw_feature_shares *shares;
    size_t found = 0;
    (void)argument;
    assert_ok(context, thaw_feature_shares_create(context, &spread, &size, &shares));
    const size_t room = SAMPLES / 2 + SAMPLES / 2 / 64 + 64;
    cr_assert_eq(thaw_feature_shares_room(shares), room);
    for (size_t i = 0; i < SAMPLES; i++)
        found += thaw_feature_shares_claim(shares, &i, 1); /* the first of two shards, rank 0's */
    cr_assert_eq(found, room);
    size_t last[2] = { 0, SAMPLES - 1 };
    cr_assert_eq(thaw_feature_shares_claim(shares, last, 2), 1);
    cr_assert_eq(thaw_feature_shares_own(shares, SAMPLES - 1) != NULL, communicator->rank == 1);
    cr_assert_eq(thaw_feature_shares_own(shares, 0) != NULL, communicator->rank == 0);
    cr_assert_null(thaw_feature_shares_own(shares, SAMPLES - 2));
    thaw_feature_shares_release(shares);
    thaw_context_destroy(context);
}

Test(shares, a_rank_without_room_claims_no_more)
{
    run_ranks(2, claim_by_one, NULL);
}
