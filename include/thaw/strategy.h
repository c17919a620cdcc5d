/* Strategies of fine-tuning: what trains in which epoch, as data. A strategy is a named list of rules. Each rule names
   an epoch, an action (freeze, unfreeze, ...) and a part of the network.

   A part is a pattern (thaw/parameter.h), or one of these words, which suit every network:
     @head        the top block
     @body        all blocks except the head
     @top:N       the N highest blocks, including the head
     @bottom:N    the N lowest blocks, never the head
     @bias        every bias and shift
     @norm        every layer with a scale (batch and layer normalisation)
   N is a number, or `epoch`: the epoch's number, or `share`: the number of blocks times the share of epochs that are
   over, rounded down. The last two are limited to the number of blocks.

   Blocks are the layers with parameters, in the order of the model, from the bottom to the top. Layers whose names
   agree up to the first number between dots form one block: "layer1.0.conv1" and "layer1.0.downsample.0" are both in
   "layer1.0". A normalisation layer belongs to the block below it. The head is the part that gets new weights for a new
   task: all layers from the first match of its pattern to the top form one block. Without a pattern, it is the top
   block. */
#ifndef THAW_STRATEGY_H
#define THAW_STRATEGY_H

#include <thaw/combine.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a rule does. */
typedef enum thaw_action {
    THAW_ACTION_FREEZE,
    THAW_ACTION_UNFREEZE,
    THAW_ACTION_RESET, /* initial values again */
    THAW_ACTION_RATE,  /* learning rates times `value` */
    THAW_ACTION_DECAY, /* learning rates times `value` once for each block that lies above a layer */
    THAW_ACTION_LORA   /* thaw_lora of rank `value`, alpha the rank */
} thaw_action;

/* The action's name in a strategy file, such as "freeze"; NULL for an unknown action. Static. */
THAW_API const char *thaw_action_name(thaw_action action);

/* Whether a rule of this action has a value. */
THAW_API bool thaw_action_has_value(thaw_action action);

/* An action on a part of the network in an epoch. */
typedef struct thaw_strategy_rule {
    int epoch;    /* before this epoch, from 1; 0: by `share`, or before every epoch if that is 0 too */
    double share; /* above 0, below 1: before the first epoch that begins when this share of all epochs is over */
    const char *pattern; /* the part; see above */
    thaw_action action;  /* the action */
    double value;        /* for actions that have one */
} thaw_strategy_rule;

/* A named list of rules. */
typedef struct thaw_strategy {
    const char *name;                /* as requested: "lora:rank=8" */
    const char *description;         /* one line */
    const thaw_strategy_rule *rules; /* applied in this order */
    size_t rule_count;               /* of `rules` */
} thaw_strategy;

/* The names of the built-in strategies, as users write them ("last2" for any number); NULL past the end. Static. */
THAW_API const char *thaw_strategy_builtin(size_t index);

/* Makes a strategy by name. `path` is NULL, or a JSON file of strategies, which is searched first. `name` may be NULL
   if the file has exactly one strategy:
     { "strategies": [ { "name": "mine", "description": "...", "rules": [
         { "epoch": 1, "pattern": "*", "action": "freeze" },
         { "epoch": 1, "pattern": "@head", "action": "unfreeze" },
         { "share": 0.5, "pattern": "*", "action": "unfreeze" },
         { "every": true, "pattern": "@top:epoch", "action": "unfreeze" },
         { "epoch": 1, "pattern": "@body", "action": "rate", "value": 0.1 } ] } ] }
   Actions: freeze, unfreeze, reset, rate, decay, lora; the last three have a value. A file is checked as a whole. The
   caller owns *strategy.
   Errors: THAW_NOT_FOUND (no such strategy; the message has the nearest name), THAW_INVALID_ARGUMENT (a setting; no
   name, although the file does not hold exactly one strategy), THAW_IO_ERROR, THAW_BAD_FORMAT (the file; the message
   says where). */
THAW_API thaw_status thaw_strategy_create(thaw_context *context, const char *name, const char *path,
                                          thaw_strategy **strategy);

/* NULL is allowed. */
THAW_API void thaw_strategy_destroy(thaw_context *context, thaw_strategy *strategy);

/* Applies the rules for the beginning of `epoch` (from 1) of `epochs` to the model. `head` is a pattern, or NULL. The
   model's groups need an optimizer. Rules expect a model as it was built: apply epoch 1, train, apply epoch 2, ...
   Errors: THAW_NOT_FOUND (a pattern selects nothing, or there are fewer blocks than N), and those of the calls that
   the actions make; earlier rules of the epoch stay applied. */
THAW_API thaw_status thaw_strategy_apply(const thaw_strategy *strategy, thaw_model *model, const char *head, int epoch,
                                         int epochs);

/* Checks before training what thaw_strategy_apply would do in a run of `epochs` epochs: rules, parts and patterns. Does
   not change the model. After a rule that adds adapters, only the form of patterns is checked, since they may name the
   adapters.
   Errors: THAW_NOT_FOUND (a pattern selects nothing, or there are fewer blocks than N), THAW_INVALID_ARGUMENT (a
   rule). */
THAW_API thaw_status thaw_strategy_check(const thaw_strategy *strategy, thaw_model *model, const char *head,
                                         int epochs);

/* The effect of a rule on a model. */
typedef struct thaw_rule_effect {
    int epoch;                      /* the epoch before which it was applied, from 1 */
    const thaw_strategy_rule *rule; /* the strategy's rule */
    const char *pattern;            /* its part as a pattern of this model; valid during the call that receives this */
    size_t trainable_parameters;    /* trainable elements of the whole model, after the rule */
} thaw_rule_effect;

/* The block of a node, from 1 at the bottom; 0 for a node without parameters. *blocks (may be NULL) is the number of
   blocks.
   Errors: THAW_NOT_FOUND (the pattern of the head), THAW_INVALID_ARGUMENT (no such node). */
THAW_API thaw_status thaw_model_block(thaw_model *model, const char *head, size_t node, size_t *block, size_t *blocks);

#ifdef __cplusplus
}
#endif

#endif
