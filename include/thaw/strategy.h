/* Strategies of fine-tuning: what trains in which epoch, as data. A strategy is a named list of rules; each says in which
   epoch something happens (freeze, unfreeze, ...) and to which part of the network.

   Parts are patterns as everywhere (thaw/parameter.h), or one of these words, which fit every network:
     @head        the top block
     @body        all blocks but the head
     @top:N       the N highest blocks, the head among them
     @bottom:N    the N lowest blocks, never the head
     @bias        every bias and shift
     @norm        every layer with a scale (batch and layer normalisation)
   N is a number, or `epoch`: that of the epoch, or `share`: the share of the epochs that are over, of all blocks,
   rounded down. The last two are cut to the blocks that there are.

   Blocks are found in the network, from the bottom to the top: the layers with parameters, in the order of the model;
   those whose names agree up to the first number between dots are one block ("layer1.0.conv1" and
   "layer1.0.downsample.0" are both of "layer1.0"); a normalisation layer belongs to the block below it. The head is the
   top block, or where a pattern of it is given all layers from the first match to the top as one block: what a new task
   begins with new weights for. */
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

/* The action's name in a file of strategies, such as "freeze"; NULL for what is no action. Static. */
THAW_API const char *thaw_action_name(thaw_action action);

/* Whether a rule of this action has a value. */
THAW_API bool thaw_action_has_value(thaw_action action);

/* Something that happens in an epoch to a part of the network. */
typedef struct thaw_strategy_rule {
    int epoch;    /* before this epoch, from 1; 0: as `share` says, and where that is 0 too before every epoch */
    double share; /* above 0, below 1: before the first epoch that begins when this share of all epochs is over */
    const char *pattern; /* the part; see above */
    thaw_action action;  /* what happens */
    double value;        /* for the actions that have one */
} thaw_strategy_rule;

/* A named list of rules. */
typedef struct thaw_strategy {
    const char *name;                /* as asked for: "lora:rank=8" */
    const char *description;         /* one line */
    const thaw_strategy_rule *rules; /* applied in this order */
    size_t rule_count;               /* of `rules` */
} thaw_strategy;

/* The names of the built-in strategies, as a user writes them ("last2" for any number); NULL past the end. Static. */
THAW_API const char *thaw_strategy_builtin(size_t index);

/* Makes a strategy by name. `path` is NULL, or a JSON file of strategies, which is looked into first; `name` may be NULL
   where the file has one strategy:
     { "strategies": [ { "name": "mine", "description": "...", "rules": [
         { "epoch": 1, "pattern": "*", "action": "freeze" },
         { "epoch": 1, "pattern": "@head", "action": "unfreeze" },
         { "share": 0.5, "pattern": "*", "action": "unfreeze" },
         { "every": true, "pattern": "@top:epoch", "action": "unfreeze" },
         { "epoch": 1, "pattern": "@body", "action": "rate", "value": 0.1 } ] } ] }
   Actions: freeze, unfreeze, reset, rate, decay, lora; the last three have a value. A file is checked as a whole. The
   caller owns *strategy.
   Errors: THAW_NOT_FOUND (no such strategy; the message has the nearest name), THAW_INVALID_ARGUMENT (a setting; no name,
   although the file does not hold exactly one strategy), THAW_IO_ERROR, THAW_BAD_FORMAT (the file; the message says
   where). */
THAW_API thaw_status thaw_strategy_create(thaw_context *context, const char *name, const char *path,
                                          thaw_strategy **strategy);

/* NULL is allowed. */
THAW_API void thaw_strategy_destroy(thaw_context *context, thaw_strategy *strategy);

/* Does to the model what the rules say for the beginning of `epoch` (from 1) of `epochs`. `head` is a pattern, or NULL.
   The model's groups need an optimizer. Rules are for a model as it was built: apply epoch 1, train, apply epoch 2, ...
   Errors: THAW_NOT_FOUND (a pattern that selects nothing, or more blocks than there are), and those of the calls that do
   it; some rules may have been applied then. */
THAW_API thaw_status thaw_strategy_apply(const thaw_strategy *strategy, thaw_model *model, const char *head, int epoch,
                                         int epochs);

/* Checks before training what thaw_strategy_apply would meet in a run of `epochs` epochs: rules, parts and patterns. The
   model stays as it is. Patterns after a rule that adds adapters are checked for their form alone, since they may name
   the adapters.
   Errors: THAW_NOT_FOUND (a pattern that selects nothing, or more blocks than there are), THAW_INVALID_ARGUMENT
   (a rule). */
THAW_API thaw_status thaw_strategy_check(const thaw_strategy *strategy, thaw_model *model, const char *head,
                                         int epochs);

/* What a rule did to a model. */
typedef struct thaw_rule_effect {
    int epoch;                      /* before which it happened, from 1 */
    const thaw_strategy_rule *rule; /* the strategy's */
    const char *pattern;            /* what its part was in this model; valid during the call that gets this */
    size_t trainable_parameters;    /* elements that train after it, in the whole model */
} thaw_rule_effect;

/* The block of a node, from 1 at the bottom; 0 for one without parameters. *blocks (may be NULL) is how many there are.
   Errors: THAW_NOT_FOUND (the pattern of the head), THAW_INVALID_ARGUMENT (no such node). */
THAW_API thaw_status thaw_model_block(thaw_model *model, const char *head, size_t node, size_t *block, size_t *blocks);

#ifdef __cplusplus
}
#endif

#endif
