/* Shared by tests of strategies: a network of five blocks (conv1, conv2, dense1, dense2, dense3), and a strategy. */
#ifndef THAW_TESTS_POLICY_FIXTURE_H
#define THAW_TESTS_POLICY_FIXTURE_H

#include "policy/strategy.h"
#include "support/network.h"

typedef struct policy_fixture {
    thaw_context *context;
    thaw_model *model;
    thaw_strategy *strategy;
} policy_fixture;

policy_fixture policy_open(const char *name, const char *path);
void policy_close(policy_fixture *made);

/* Applies the strategy, and compares what trains, a letter a group: T trainable, P partial, - frozen. */
void policy_assert_trains(const policy_fixture *f, const char *head, int epoch, int epochs, const char *expected);

#endif
