/* A feature cache that is spread over ranks: each keeps the rows of the samples whose outputs it has computed, and
   sends them to the rank that trains on them.

   All ranks know the order of an epoch, and so who computes and who needs what, without a word. A sample belongs to the
   rank that computed it first, unless that one has no room left. */
#ifndef THAW_FEATURES_FEATURE_SHARES_H
#define THAW_FEATURES_FEATURE_SHARES_H

#include <thaw/distributed.h>

#include "core/shard_part.h"

/* How a run is spread. */
typedef struct thaw_spread {
    const thaw_communicator *communicator; /* NULL: there are no other ranks */
    size_t shards;                         /* of a step */
    size_t batch;                          /* samples of a step */
} thaw_spread;

typedef struct thaw_feature_shares thaw_feature_shares;

/* The rows of so many views of so many samples. */
typedef struct thaw_feature_rows_size {
    size_t samples, views, row_bytes;
} thaw_feature_rows_size;

/* Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_feature_shares_create(thaw_context *context, const thaw_spread *spread,
                                       const thaw_feature_rows_size *size, thaw_feature_shares **shares);
void thaw_feature_shares_release(thaw_feature_shares *shares);

/* What follows is about this view; 0 at first. All ranks call it alike. */
void thaw_feature_shares_use_view(thaw_feature_shares *shares, size_t view);

/* The rows that this rank has room for. */
size_t thaw_feature_shares_room(const thaw_feature_shares *shares);

/* All ranks, before a step computes these samples, its whole batch: those that belong to nobody go to the ranks that
   compute them. Returns how many have found one. */
size_t thaw_feature_shares_claim(thaw_feature_shares *shares, const size_t *indices, size_t all);

/* Where this rank keeps the row of a sample, or NULL if the sample is not this rank's. */
void *thaw_feature_shares_own(const thaw_feature_shares *shares, size_t index);

/* All ranks, before a step that reads the rows of these samples, its whole batch: exchanges what others need.
   `rows[i]` becomes the row of this rank's sample number i, valid until the next call. Every sample belongs to a rank.
   Errors: THAW_IO_ERROR. */
thaw_status thaw_feature_shares_read(thaw_feature_shares *shares, const size_t *indices, size_t all, const void **rows);

#endif
