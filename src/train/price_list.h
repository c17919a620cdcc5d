/* The inside of a price list: what layers take, and what plans would come to. */
#ifndef THAW_TRAIN_PRICE_LIST_H
#define THAW_TRAIN_PRICE_LIST_H

#include <thaw/price.h>

#include "plan/plan.h"
#include "train/evaluation_batch.h"

/* The seconds that a node's work takes in a step. */
typedef struct thaw_layer_times {
    double forward, backward;
    double frozen; /* forward, as in the frozen prefix */
    bool live;     /* forward and backward are those of the live part */
    int gradients; /* what backward computed: of its inputs, of its parameters, or both */
} thaw_layer_times;

struct thaw_price_list {
    thaw_model *model;
    int64_t batch; /* of a shard */
    size_t shards; /* of a step, on all ranks */
    size_t own;    /* of them on this rank */
    size_t layer_count;
    thaw_layer_times *layers; /* by node */
    double update;            /* of each trained element, with checks */
    double rest;              /* what belongs to no layer */
    bool timed;               /* it has times; otherwise prices are without seconds */
};

/* A list without times, for steps of so many shards, of `batch` samples each. Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_price_list_create(thaw_model *model, int64_t batch, thaw_shard_range range, thaw_price_list **list);

/* Adds the times of a training step's instructions, and of what is between them. */
void thaw_price_list_add_step(thaw_price_list *list, const thaw_plan *plan, const double *seconds, double rest);

/* Multiplies the times of training steps, to make a mean of their sum. */
void thaw_price_list_scale(thaw_price_list *list, double factor);

/* Times each layer as it is in a frozen prefix, with the kernels of inference, on the samples of one shard. Call it
   between thaw_threads_enter and thaw_threads_leave. Errors: those of thaw_evaluate. */
thaw_status thaw_price_list_time_frozen(thaw_price_list *list, const thaw_evaluated_batch *batch, size_t runs);

/* What backward of a node computes: gradients of its inputs, of its parameters, or both. */
int thaw_plan_count_gradients(const thaw_plan *plan, size_t index);

/* thaw_plan_price, with the stored tensors frozen, too, whose number has a flag. */
thaw_status thaw_price_list_price(const thaw_price_list *list, const bool *frozen, thaw_price *price);

#endif
