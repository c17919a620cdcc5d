/* The inside of a shard sum: the tree, and what its files share. */
#ifndef THAW_UPDATE_SHARD_TREE_H
#define THAW_UPDATE_SHARD_TREE_H

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

/* What a rank tells the others before gradients are added up. */
typedef struct thaw_rank_report {
    int32_t status;
    char message[THAW_REASON_BYTES];
} thaw_rank_report;

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
    float *memory;          /* of all levels */
    thaw_partial *partials; /* as many as there are levels */
    size_t partial_count;
    thaw_shard_outcome *outcomes;

    /* on several ranks */
    thaw_rank_report *reports; /* of each */
    thaw_message *messages;
    float *received; /* blocks of other ranks: of each a slice, which this rank adds up */
};

/* Whether two neighbouring blocks are the halves of one. */
bool thaw_partials_match(const thaw_partial *left, const thaw_partial *right);

/* The blocks that a range of shards comes to, without values. Returns their number; `partials` has room for
   THAW_MOST_PARTIALS. */
size_t thaw_partials_of(thaw_shard_range range, thaw_partial *partials);

/* Adds the last block of a stack to the one before it, and then the values, `floats` of them. */
void thaw_partials_join(thaw_context *context, thaw_partial *partials, size_t *count, size_t floats);

/* Allocates what several ranks need; nothing on one. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_shard_sum_reserve_ranks(thaw_shard_sum *sum);

#endif
