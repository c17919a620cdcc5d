/* That a layer which is refused leaves the model as it was. */
#ifndef THAW_TESTS_IMPRESSION_H
#define THAW_TESTS_IMPRESSION_H

#include "support/allocator.h"
#include "support/toy_network.h"

/* A model as it is seen from outside, but for its layers' values. */
typedef struct impression {
    size_t nodes, groups, parameters, live;
    thaw_node output;
} impression;

impression impression_of(thaw_model *model, const support_allocator *allocator);
void assert_unchanged(thaw_model *model, const support_allocator *allocator, impression before);

/* Appends a layer to a model that has one, node 1 "first", and asserts that it is refused without a trace. */
void assert_refused(const thaw_layer_module *module, const char *name, const thaw_node *inputs, size_t count,
                    thaw_status status, const char *text);

#endif
