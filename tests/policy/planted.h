/* A policy that is shown planted views, and a network of which only the flags exist. */
#ifndef THAW_TESTS_POLICY_PLANTED_H
#define THAW_TESTS_POLICY_PLANTED_H

#include "policy/policy.h"
#include "support/support.h"

enum { PLANTED_MOST = 12 };

typedef struct planted {
    thaw_context *context;
    thaw_policy *policy;
    size_t count;
    thaw_policy_block blocks[PLANTED_MOST];
    thaw_policy_price prices[PLANTED_MOST];
    bool priced; /* the view has the prices */
    double draws[PLANTED_MOST], state[8 * PLANTED_MOST];
    thaw_policy_view view;
    thaw_policy_actions actions; /* of the last decision */
} planted;

/* All blocks train. */
planted planted_open(const char *description, size_t count);
void planted_close(planted *made);

/* A number in [0, 1) that depends on both. */
double planted_number(uint32_t seed, uint32_t index);

/* Lets the policy decide before this step, and does what it says. */
void planted_decide(planted *made, size_t step);

/* Whether blocks train, a letter each: T or -. */
const char *planted_trains(const planted *made, char text[PLANTED_MOST + 1]);

#endif
