/* Creates and carries out strategies. */
#ifndef THAW_POLICY_STRATEGY_H
#define THAW_POLICY_STRATEGY_H

#include <thaw/strategy.h>

#include "params/parameter.h"
#include "policy/part.h"

/* A copy under another name that owns everything it points to. `n` replaces N in patterns, and values that are NAN.
   Errors: THAW_OUT_OF_MEMORY. */
thaw_status thaw_strategy_copy(thaw_context *context, const thaw_strategy *from, const char *name, int n,
                               thaw_strategy **copy);

/* Reads a strategy file; the caller releases the strategies and the array. Errors: THAW_IO_ERROR, THAW_BAD_FORMAT,
   THAW_OUT_OF_MEMORY. */
thaw_status thaw_strategy_read(thaw_context *context, const char *path, thaw_strategy ***strategies, size_t *count);
void thaw_strategy_release_all(thaw_context *context, thaw_strategy **strategies, size_t count);

/* Checks a rule without a model. The message does not name the rule. Errors: THAW_INVALID_ARGUMENT. */
thaw_status thaw_rule_check(thaw_context *context, const thaw_strategy_rule *rule);

/* Whether a rule needs the model's blocks; a pattern alone does not. */
bool thaw_rule_needs_blocks(const thaw_strategy_rule *rule);

/* A rule that is due, and its part as a pattern of the model, which a visitor may cut into pieces. */
typedef struct thaw_due_rule {
    const thaw_strategy_rule *rule;
    const thaw_model_blocks *blocks;
    char *pattern;
} thaw_due_rule;

/* Visits the rules of an epoch in order, except those whose part is empty in this epoch. Stops at the first error.
   Errors: those of thaw_part_resolve and of the visitor, with the names of strategy and epoch. */
thaw_status thaw_strategy_visit(const thaw_strategy *strategy, thaw_model *model, const char *head,
                                thaw_part_epoch when,
                                thaw_status (*visit)(void *argument, thaw_model *model, const thaw_due_rule *due),
                                void *argument);

/* Cuts the next piece off a pattern's alternatives, no longer than a pattern may be: deep networks have hundreds of
   alternatives. NULL if none is left. */
char *thaw_pattern_cut(char **rest);

/* thaw_strategy_apply that reports the effect of each rule to `on_rule` (may be NULL). */
thaw_status thaw_strategy_run(const thaw_strategy *strategy, thaw_model *model, const char *head, thaw_part_epoch when,
                              void (*on_rule)(void *user, const thaw_rule_effect *effect), void *user);

/* Calls `found` for each parameter that this epoch's rules will train or give other values. Parts that select
   nothing are skipped. */
void thaw_strategy_find_thawed(const thaw_strategy *strategy, thaw_model *model, const char *head, thaw_part_epoch when,
                               void (*found)(void *argument, thaw_selected selected), void *argument);

#endif
