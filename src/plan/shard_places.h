/* Memory for the shards of one process that run side by side: while one of them computes, the others keep their values
   and gradients. */
#ifndef THAW_PLAN_SHARD_PLACES_H
#define THAW_PLAN_SHARD_PLACES_H

#include "plan/plan.h"

/* One shard, where it keeps its values, and how far it has come in this step. */
typedef struct thaw_shard_place {
    float *gradients; /* before the arena, in the same memory; NULL: the update list's own, and the model's arena */
    char *arena;
    size_t arena_bytes;

    thaw_plan *plan;
    thaw_shard_part part;
    thaw_program_step step;
    size_t next;           /* the instruction that follows */
    thaw_shared_sums sums; /* of the layer for which it waits */
} thaw_shard_place;

typedef struct thaw_shard_places {
    thaw_shard_place *places; /* the first has no memory of its own */
    size_t count, capacity;
} thaw_shard_places;

/* Makes `count` places, each with room for so many floats of gradients, the same in all calls, and an arena. Errors:
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_shard_places_reserve(thaw_context *context, thaw_shard_places *places, size_t count, size_t gradients,
                                      size_t arena_bytes);
void thaw_shard_places_release(thaw_context *context, thaw_shard_places *places);

/* ---- of a model ---- */

/* Makes `count` places for shards with this plan. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_plan_reserve_places(const thaw_plan *plan, size_t count);

/* Place number `index` of those. Valid until more are made. */
thaw_shard_place *thaw_plan_place(const thaw_model *model, size_t index);

/* Binds a plan to the memory of a place. What was computed in other places stays there. The first place must be the
   last one that a step enters. */
void thaw_plan_enter_place(thaw_plan *plan, size_t index);

#endif
