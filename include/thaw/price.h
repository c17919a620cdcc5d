/* What freezing would save, before it is done: what a step costs is measured by layer, and the plan that a model would
   have, if more of it were frozen, tells what of that would be left. */
#ifndef THAW_PRICE_H
#define THAW_PRICE_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a step costs on this machine: the time of each layer's work, as it was measured. */
typedef struct thaw_price_list thaw_price_list;

/* Measures a model on a batch, as it is now. Trains a few steps to warm up and then `steps` measured ones (0: 20),
   which change parameters as thaw_step does, and computes as many batches without training, with the kernels that a
   frozen layer has. Times are means over the faster half of the runs. The list belongs to the caller
   (thaw_price_list_destroy), and refers to the model, which must outlive it.
   Errors: those of thaw_step; THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_price_list_measure(thaw_model *model, const thaw_tensor *inputs, const thaw_tensor *targets,
                                             size_t steps, thaw_price_list **list);

/* NULL is allowed. */
THAW_API void thaw_price_list_destroy(thaw_price_list *list);

/* The price of training in some state of freezing. */
typedef struct thaw_price {
    double step_seconds;         /* of a training step */
    double cached_step_seconds;  /* of one whose features come from the cache; step_seconds if nothing is cached */
    double step_flops;           /* floating-point operations of a step; 0 of what is updated by element */
    double cached_step_flops;    /* of one whose features come from the cache; step_flops if nothing is cached */
    size_t cache_sample_bytes;   /* of the feature cache for each sample; 0: nothing is worth caching */
    size_t memory_bytes;         /* parameters, gradients, optimizer state, activations, packed copies; no cache */
    size_t trainable_parameters; /* elements */
} thaw_price;

/* The price if these parts of the network were frozen in addition to what is frozen now; the model does not change, and
   nothing runs. A part is a pattern (thaw/parameter.h), or a word such as "@body" or "@bottom:2" (thaw/strategy.h), for
   which `head` is the head's pattern, or NULL. No parts: the price as it is.

   Work that would no longer be done costs nothing; what is left costs what was measured. Below the lowest trainable
   parameter, layers run as in inference. A layer that still passes gradients on, but has none of its own any more,
   needs one of two products, and half of its time for backward. The update's time is divided by elements.

   The list stays good while the model trains, freezes more, and thaws again what it has frozen since. Errors:
   THAW_INVALID_ARGUMENT (layers were added, or one trains that was frozen when the list was measured; no part),
   THAW_NOT_FOUND (a part selects nothing), THAW_NOTHING_TRAINABLE (all would be frozen), THAW_OUT_OF_MEMORY. */
THAW_API thaw_status thaw_plan_price(const thaw_price_list *list, const char *head, const char *const *parts,
                                     size_t count, thaw_price *price);

/* The seconds of training for `epochs` epochs of `steps` steps. With a feature cache, all epochs but the first start
   there. */
static inline double thaw_price_seconds(const thaw_price *price, bool cache, double steps, double epochs)
{
    const double cached = cache && epochs > 1 ? epochs - 1 : 0;
    return steps * ((epochs - cached) * price->step_seconds + cached * price->cached_step_seconds);
}

#ifdef __cplusplus
}
#endif

#endif
