/* What a policy is made of: a `const` struct of functions that look at a run and say what trains next. Built-in modules
   use only this header, as yours do, and have no privilege. This one freezes the lowest block that still trains, as soon
   as it moves by less than a hundredth of its weights in an epoch:

       static unsigned watches(const double *settings)
       {
           (void)settings;
           return THAW_WATCH_WEIGHTS | THAW_WATCH_UPDATES;
       }
       static void decide(const thaw_policy_view *view, thaw_policy_actions *actions)
       {
           const size_t lowest = thaw_policy_frozen_below(view);
           const thaw_policy_block *block = &view->blocks[lowest];
           if (view->step == 0 || lowest + 1 >= view->block_count || block->update_norm > 0.01 * block->weight_norm)
               return;
           thaw_policy_action *action = thaw_policy_act_on(actions, THAW_POLICY_FREEZE, lowest, lowest);
           if (action)
               snprintf(action->reason, sizeof action->reason, "it has moved by %.2g %% only",
                        100 * block->update_norm / block->weight_norm);
       }
       const thaw_policy_module thaw_module = {
           THAW_POLICY_MODULE_HEAD, .name = "slow", .watches = watches, .decide = decide,
       }; */
#ifndef THAW_POLICY_MODULE_H
#define THAW_POLICY_MODULE_H

#include <thaw/optimizer_module.h>
#include <thaw/policy.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The kind of module that this header describes, in the upper 16 bits, and its version, in the lower 16. */
enum { THAW_POLICY_ABI = 0x504F0001 };

enum { THAW_POLICY_REASON_BYTES = 200, THAW_POLICY_MOST_ACTIONS = 64 };

/* Short for the first fields of a thaw_policy_module. */
#define THAW_POLICY_MODULE_HEAD .size = sizeof(thaw_policy_module), .abi = THAW_POLICY_ABI

/* What the view holds beyond what costs nothing. */
enum {
    THAW_WATCH_WEIGHTS = 1 << 0, /* weight_norm: the weights are read once for each decision */
    THAW_WATCH_GRADIENTS =
        1 << 1,                  /* gradient_norm: every eighth step adds up its gradients' squares, where it otherwise
                                      asks whether they are finite */
    THAW_WATCH_UPDATES = 1 << 2, /* update_norm: a copy of all weights that train, and as above */
    THAW_WATCH_PRICES = 1 << 3,  /* prices: a plan is compiled for each cut, once in a run */
    THAW_WATCH_TIMES = 1 << 4    /* with their seconds: ten early steps are timed, and each layer as it runs frozen */
};

/* A block of the network (thaw/strategy.h). Norms are Euclidean, over the parameters that train while the block does,
   and NAN where they are not watched. */
typedef struct thaw_policy_block {
    const char *name;   /* of its lowest layer, or of the layers together: "layer1.0" */
    size_t parameters;  /* elements that train while the block does */
    bool fixed;         /* none of it trained when the run began: policies can neither thaw nor freeze it */
    bool trains;        /* now */
    double rate;        /* the factor of its learning rates; 1 at first */
    double weight_norm; /* of its weights now */
    double
        gradient_norm; /* root mean square of the gradient's norms, before clipping, in the steps that were watched since
                             the last decision; NAN if there is none */
    double update_norm; /* of the difference between its weights now and at the last decision; NAN at the first */
} thaw_policy_block;

/* What training would cost, for what is left of the run, if the lowest blocks were frozen, in addition to what was frozen
   when the prices were found: thaw_plan_price (thaw/price.h) of the plan that there would be. */
typedef struct thaw_policy_price {
    double step_seconds;         /* of a step; NAN without THAW_WATCH_TIMES */
    double cached_step_seconds;  /* of one whose features come from the cache */
    double step_flops;           /* floating-point operations of a step */
    double cached_step_flops;    /* of one whose features come from the cache */
    double seconds_left;         /* of what is left of the run. Where the run has a feature cache, the first epoch fills
                                   it, unless these blocks have been frozen for a whole one, and the others start there */
    double flops_left;           /* likewise */
    size_t memory_bytes;         /* parameters, gradients, state, activations, packed copies */
    size_t cache_bytes;          /* of the feature cache for all samples; 0: nothing is cached */
    size_t trainable_parameters; /* elements */
} thaw_policy_price;

/* A run, before the step that comes next. Everything is the same on all ranks, but for seconds: those of rank 0 count,
   as do its actions. */
typedef struct thaw_policy_view {
    const double *settings;          /* the values in effect, in the module's order */
    double *state;                   /* the module's own numbers: zero at first, written into checkpoints */
    const thaw_policy_block *blocks; /* from the bottom to the top */
    size_t block_count;              /* at least 1; the last is the head */
    const thaw_policy_price *prices; /* prices[k] with the k lowest blocks frozen, for all k below block_count; NULL if
                                        they are not watched, before the first step, and before a step was timed */
    int epochs;                      /* of the run */
    size_t step, epoch_steps;        /* taken so far in the run, and of each epoch */
    double loss;                     /* mean of the training loss since the last decision; NAN at the first */
    double test_loss, test_accuracy; /* of the last test; NAN without one */
    const double *draws; /* block_count random numbers in [0, 1): Philox4x32-10, keyed by the run's seed, and
                                        other ones for each decision */
} thaw_policy_view;

/* One action on the blocks first to last, counted from 0. */
typedef struct thaw_policy_action {
    thaw_policy_act act;                   /* THAW_POLICY_FREEZE, UNFREEZE or RATE */
    size_t first, last;                    /* blocks; fixed ones between them are left out */
    double value;                          /* of THAW_POLICY_RATE: at least 0 */
    bool drops_state;                      /* of THAW_POLICY_FREEZE: the optimizer's state goes. If the block thaws, its
                                              state begins anew; otherwise it goes on where it was */
    char reason[THAW_POLICY_REASON_BYTES]; /* one line for the user */
} thaw_policy_action;

/* What a decision has come to; carried out in this order. */
typedef struct thaw_policy_actions {
    thaw_policy_action action[THAW_POLICY_MOST_ACTIONS]; /* the actions */
    size_t count;                                        /* may exceed the array: such a decision is an error */
} thaw_policy_actions;

/* A kind of policy. Fields that a module's `size` does not reach are zero, which is their default; `decide` must be
   within it. */
struct thaw_policy_module {
    size_t size;  /* sizeof(thaw_policy_module), as the module was compiled */
    uint32_t abi; /* THAW_POLICY_ABI */

    const char *name;                    /* as users write it */
    const char *description;             /* one line for listings; may be NULL */
    const thaw_hyperparameter *settings; /* as an optimizer's hyper-parameters; no name has a meaning to Thaw */
    size_t setting_count;                /* at most THAW_MAX_HYPERPARAMETERS */

    /* What the view must hold: THAW_WATCH_... joined by |. NULL: nothing. */
    unsigned (*watches)(const double *settings);

    /* Steps from one decision to the next; 0: decisions are taken between epochs. NULL: 0. */
    size_t (*interval)(const double *settings);

    /* The doubles of `state` for a network of so many blocks. NULL: none. */
    size_t (*state_count)(const double *settings, size_t blocks);

    /* Looks at the run, and adds actions. Called before the first step, and then as `interval` says, also where nothing
       can be done any more. It must depend on the view alone, and at least one block must train afterwards. Not called
       from several threads at once for one run. */
    void (*decide)(const thaw_policy_view *view, thaw_policy_actions *actions);

    /* Whether the same blocks train again and again. The programs of up to 32 states are then kept, so that going back to
       one compiles nothing, and weights are in memory beside their packed copies. A network in which parameters are
       computed from others (thaw/combine.h) compiles all the same. */
    bool recurs;
};

/* Adds an action on the blocks first to last. Returns it, for its other fields; NULL if there are too many. */
static inline thaw_policy_action *thaw_policy_act_on(thaw_policy_actions *actions, thaw_policy_act act, size_t first,
                                                     size_t last)
{
    if (actions->count++ >= THAW_POLICY_MOST_ACTIONS)
        return NULL;
    thaw_policy_action *action = &actions->action[actions->count - 1];
    action->act = act;
    action->first = first;
    action->last = last;
    return action;
}

/* The lowest blocks of which nothing trains: their number. */
static inline size_t thaw_policy_frozen_below(const thaw_policy_view *view)
{
    size_t count = 0;
    while (count < view->block_count && !view->blocks[count].trains)
        count++;
    return count;
}

#ifdef __cplusplus
}
#endif

#endif
