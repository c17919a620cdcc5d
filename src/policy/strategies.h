/* The built-in strategies. */
#ifndef THAW_POLICY_STRATEGIES_H
#define THAW_POLICY_STRATEGIES_H

#include <thaw/strategy.h>

/* A template with `parameter` accepts names such as "lora:rank=4" or "last2". Their number, at least 1, replaces N
   in patterns, and values that are NAN. */
typedef struct thaw_strategy_template {
    thaw_strategy strategy; /* the beginning of what users write */
    const char *parameter;  /* what separates it from the number: "" or ":rank="; NULL: no number */
    int initial;            /* the default number; 0: required */
} thaw_strategy_template;

extern const thaw_strategy_template thaw_strategy_templates[];
extern const size_t thaw_strategy_template_count;

#endif
