/* The inside of a shard sum: the tree, and what its files share. */
#ifndef THAW_UPDATE_SHARD_TREE_H
#define THAW_UPDATE_SHARD_TREE_H

#include "distributed/exchange.h"
#include "update/shard_sum.h"
#include "update/update_list.h"

enum { THAW_SHARD_BLOCK = 4096 /* floats that a thread takes on at a time */ };

/* The most blocks of a stack: two of each size. */
enum { THAW_MOST_PARTIALS = 2 * 8 * sizeof(size_t) + 1 };

/* A block of the tree that is complete, or at the end of the shards. */
typedef struct thaw_partial {
    size_t first, count; /* its shards */
    float *values;
} thaw_partial;

/* What a rank tells the others with the last totals. */
typedef struct thaw_rank_report {
    int32_t status;
    int32_t finite; /* what this rank has added up is */
    char message[THAW_REASON_BYTES];
} thaw_rank_report;

/* Neighbouring tensors, which are added up together. */
typedef struct thaw_bucket {
    size_t first, past;             /* the tensors */
    size_t gradients;               /* those of them that are no statistics */
    size_t first_block, past_block; /* their pieces */
    size_t offset, floats;          /* where they lie in a level */

    /* on several ranks */
    size_t waiting; /* tensors whose gradients are not final yet, in this step */
    /* What the ranks exchange: their blocks, then each one's slice of the sum. With the first bucket's blocks travel
       outcomes, with the last one's totals reports. */
    thaw_message *blocks, *totals;
    size_t block_count, total_count;
    float
        *received; /* blocks of other ranks: of each a slice, which this rank adds up; shared with every other bucket */
    thaw_request block_request, total_request;
} thaw_bucket;

struct thaw_shard_sum {
    thaw_context *context;
    const thaw_update_list *list;
    thaw_shard_range range;
    size_t next;       /* the shard that is added next */
    size_t floats;     /* of a level */
    size_t tensors;    /* gradients, then statistics */
    size_t *offsets;   /* of tensors in a level, and its end */
    thaw_span *blocks; /* pieces of tensors */
    size_t block_count;
    float *memory; /* of all levels; none of several ranks with one shard each, whose level is list->gradients */
    thaw_partial *partials; /* as many as there are levels */
    size_t partial_count;
    thaw_bucket *buckets; /* from the last tensors to the first, as gradients become final; alone, one */
    size_t bucket_count;
    size_t added; /* the buckets to which shard `next` has been added already */
    thaw_shard_outcome *outcomes;
    size_t largest; /* of this step: see thaw_shard_sum_begin */
    bool sums;

    /* on several ranks */
    thaw_rank_report *reports; /* of each */
    thaw_message *messages;    /* for thaw_shard_sum_share, one for each rank; then of all buckets */
    float *received;
    size_t started, summed,
        arrived;                /* buckets whose blocks were sent, that this rank added up, whose totals are here */
    bool broken;                /* the communicator has failed in this step */
    bool finite;                /* what this rank has added up so far; after the step: what all have */
    thaw_shard_factors factors; /* of this step, once all outcomes are here */
};

/* Whether two neighbouring blocks are the halves of one. */
bool thaw_partials_match(const thaw_partial *left, const thaw_partial *right);

/* Adds a shard to a stack of blocks, without their values. Returns the new number of blocks. */
size_t thaw_partials_push(thaw_partial *partials, size_t count, size_t shard);

/* The blocks that a range of shards comes to, without values. Returns their number; `partials` has room for
   THAW_MOST_PARTIALS. */
size_t thaw_partials_of(thaw_shard_range range, thaw_partial *partials);

/* Adds the last block of a stack to the one before it, with `floats` of its values from number `first` on. */
void thaw_partials_join(thaw_context *context, thaw_partial *partials, size_t *count, size_t first, size_t floats);

/* Adds the next shard to the next bucket. After the last one, thaw_shard_sum_add must follow. */
void thaw_shard_sum_add_bucket(thaw_shard_sum *sum, float *const *statistics, float factor);

/* All rows of gradients may be other than 0. */
void thaw_shard_sum_forget_rows(const thaw_shard_sum *sum);

/* Cuts the tensors into buckets. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_shard_sum_cut(thaw_shard_sum *sum);

#endif
