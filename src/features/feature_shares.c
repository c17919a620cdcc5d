#include "features/feature_shares.h"

#include <string.h>

#include "core/allocation.h"
#include "distributed/exchange.h"

enum { NOBODY = -1, SPARE = 64 /* rows beyond a rank's share, and one in so many */ };

struct thaw_feature_shares {
    thaw_context *context;
    const thaw_communicator *communicator;
    size_t shards, row_bytes, samples;
    size_t first; /* row of the view */
    int *owner;   /* of each view's samples; NOBODY at first */
    size_t *slot; /* of each view's samples, in its owner's memory */
    size_t *room; /* of each rank, in rows */
    size_t *used; /* of each rank */
    char *rows;   /* of this rank */

    /* of a batch */
    char *sent, *received;
    thaw_message *messages; /* one for each rank */
    size_t *cursors;        /* of each rank, in `received` */
};

static thaw_shard_part part_of(const thaw_feature_shares *shares, size_t all, size_t rank)
{
    const size_t each = shares->shards / (size_t)shares->communicator->ranks;
    return thaw_shard_part_of_range(all, (thaw_shard_range){ shares->shards, rank * each, (rank + 1) * each });
}

static size_t ranks_of(const thaw_feature_shares *shares)
{
    return (size_t)shares->communicator->ranks;
}

static size_t own_rank(const thaw_feature_shares *shares)
{
    return (size_t)shares->communicator->rank;
}

/* What each rank computes in an epoch, and some more: if an epoch that fills the cache begins in its middle, who
   computes the rest in the next one is left to chance. */
static void plan_rooms(thaw_feature_shares *shares, size_t views, size_t batch)
{
    for (size_t rank = 0; rank < ranks_of(shares); rank++) {
        const size_t whole = shares->samples / batch * part_of(shares, batch, rank).count;
        const size_t share = whole + part_of(shares, shares->samples % batch, rank).count;
        shares->room[rank] = views * (share + share / SPARE + SPARE);
    }
}

static thaw_status reserve(thaw_feature_shares *shares, size_t views, size_t batch)
{
    thaw_context *context = shares->context;
    const size_t ranks = ranks_of(shares), rows = views * shares->samples;
    size_t own_bytes, batch_bytes;
    shares->owner = thaw_allocate_array(context, rows, sizeof *shares->owner);
    shares->slot = thaw_allocate_array(context, rows, sizeof *shares->slot);
    shares->room = thaw_allocate_array(context, ranks, sizeof *shares->room);
    shares->used = thaw_allocate_array(context, ranks, sizeof *shares->used);
    shares->cursors = thaw_allocate_array(context, ranks, sizeof *shares->cursors);
    shares->messages = thaw_allocate_array(context, ranks, sizeof *shares->messages);
    if (!shares->owner || !shares->slot || !shares->room || !shares->used || !shares->cursors || !shares->messages)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < rows; i++)
        shares->owner[i] = NOBODY;
    plan_rooms(shares, views, batch);
    if (!thaw_multiply_sizes(shares->room[own_rank(shares)], shares->row_bytes, &own_bytes) ||
        !thaw_multiply_sizes(batch, shares->row_bytes, &batch_bytes))
        return thaw_fail(context, THAW_OUT_OF_MEMORY, "the feature cache overflows a size");
    /* Uncleared, so that pages are used only as they fill. */
    shares->rows = thaw_allocate_raw(context, own_bytes);
    shares->sent = thaw_allocate_raw(context, batch_bytes);
    shares->received = thaw_allocate_raw(context, batch_bytes);
    return shares->rows && shares->sent && shares->received ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_feature_shares_create(thaw_context *context, const thaw_spread *spread,
                                       const thaw_feature_rows_size *size, thaw_feature_shares **shares)
{
    *shares = NULL;
    thaw_feature_shares *made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    *made = (thaw_feature_shares){
        .context = context,
        .communicator = spread->communicator,
        .shards = spread->shards,
        .row_bytes = size->row_bytes,
        .samples = size->samples,
    };
    const thaw_status status =
        reserve(made, size->views, spread->batch < size->samples ? spread->batch : size->samples);
    if (status == THAW_OK)
        *shares = made;
    else
        thaw_feature_shares_release(made);
    return status;
}

void thaw_feature_shares_release(thaw_feature_shares *shares)
{
    if (!shares)
        return;
    thaw_context *context = shares->context;
    thaw_release(context, shares->owner);
    thaw_release(context, shares->slot);
    thaw_release(context, shares->room);
    thaw_release(context, shares->used);
    thaw_release(context, shares->cursors);
    thaw_release(context, shares->messages);
    thaw_release(context, shares->rows);
    thaw_release(context, shares->sent);
    thaw_release(context, shares->received);
    thaw_release(context, shares);
}

void thaw_feature_shares_use_view(thaw_feature_shares *shares, size_t view)
{
    shares->first = view * shares->samples;
}

size_t thaw_feature_shares_room(const thaw_feature_shares *shares)
{
    return shares->room[own_rank(shares)];
}

size_t thaw_feature_shares_claim(thaw_feature_shares *shares, const size_t *indices, size_t all)
{
    size_t found = 0;
    for (size_t rank = 0; rank < ranks_of(shares); rank++) {
        const thaw_shard_part part = part_of(shares, all, rank);
        for (size_t i = part.first; i < part.first + part.count; i++) {
            const size_t row = shares->first + indices[i];
            if (shares->owner[row] != NOBODY || shares->used[rank] == shares->room[rank])
                continue;
            shares->owner[row] = (int)rank;
            shares->slot[row] = shares->used[rank]++;
            found++;
        }
    }
    return found;
}

void *thaw_feature_shares_own(const thaw_feature_shares *shares, size_t index)
{
    const size_t row = shares->first + index;
    return shares->owner[row] == shares->communicator->rank ? shares->rows + shares->slot[row] * shares->row_bytes
                                                            : NULL;
}

/* ---- reading ---- */

/* Copies the rows that a rank needs from this one, in the order of its samples. Returns their bytes. */
static size_t pack(const thaw_feature_shares *shares, const size_t *indices, thaw_shard_part part, char *into)
{
    size_t bytes = 0;
    for (size_t i = part.first; i < part.first + part.count; i++) {
        const void *row = thaw_feature_shares_own(shares, indices[i]);
        if (!row)
            continue;
        memcpy(into + bytes, row, shares->row_bytes);
        bytes += shares->row_bytes;
    }
    return bytes;
}

/* The bytes of the rows that this rank needs from another. */
static size_t count_needed(const thaw_feature_shares *shares, const size_t *indices, thaw_shard_part part, size_t rank)
{
    size_t bytes = 0;
    for (size_t i = part.first; i < part.first + part.count; i++)
        bytes += shares->owner[shares->first + indices[i]] == (int)rank ? shares->row_bytes : 0;
    return bytes;
}

static size_t list_messages(thaw_feature_shares *shares, const size_t *indices, size_t all)
{
    const size_t own = own_rank(shares);
    const thaw_shard_part part = part_of(shares, all, own);
    size_t count = 0, sent = 0, received = 0;
    for (size_t rank = 0; rank < ranks_of(shares); rank++) {
        shares->cursors[rank] = received;
        if (rank == own)
            continue;
        const thaw_message message = {
            .rank = (int)rank,
            .send = shares->sent + sent,
            .send_bytes = pack(shares, indices, part_of(shares, all, rank), shares->sent + sent),
            .receive = shares->received + received,
            .receive_bytes = count_needed(shares, indices, part, rank),
        };
        sent += message.send_bytes;
        received += message.receive_bytes;
        if (message.send_bytes || message.receive_bytes)
            shares->messages[count++] = message;
    }
    return count;
}

thaw_status thaw_feature_shares_read(thaw_feature_shares *shares, const size_t *indices, size_t all, const void **rows)
{
    const size_t count = list_messages(shares, indices, all);
    const thaw_status status = thaw_exchange(shares->context, shares->communicator, shares->messages, count);
    if (status != THAW_OK)
        return status;
    const thaw_shard_part part = part_of(shares, all, own_rank(shares));
    for (size_t i = 0; i < part.count; i++) {
        const size_t index = indices[part.first + i];
        rows[i] = thaw_feature_shares_own(shares, index);
        if (rows[i])
            continue;
        size_t *cursor = &shares->cursors[shares->owner[shares->first + index]];
        rows[i] = shares->received + *cursor;
        *cursor += shares->row_bytes;
    }
    return THAW_OK;
}
