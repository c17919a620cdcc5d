/* The strategies that come with Thaw. */
#ifndef THAW_POLICY_STRATEGIES_H
#define THAW_POLICY_STRATEGIES_H

#include <thaw/strategy.h>

/* Where `parameter` is set, a name such as "lora:rank=4" or "last2" gives a whole number from 1 on, which takes the place
   of N in patterns and of a value that is NAN. */
typedef struct thaw_strategy_template {
    thaw_strategy strategy; /* its name is the beginning of what users write */
    const char *parameter;  /* what stands between that and the number: "" or ":rank="; NULL: there is none */
    int initial;            /* the number where it may be left out; 0: it may not */
} thaw_strategy_template;

extern const thaw_strategy_template thaw_strategy_templates[];
extern const size_t thaw_strategy_template_count;

#endif
