/* Which kinds of layers a test has met, so that it can tell when one of thaw/layers.h is missing. */
#ifndef THAW_TESTS_SUPPORT_LAYER_KINDS_H
#define THAW_TESTS_SUPPORT_LAYER_KINDS_H

#include "support/support.h"

enum { LAYER_KINDS_MOST = 64 };

typedef struct layer_kinds {
    const char *names[LAYER_KINDS_MOST];
    size_t count;
} layer_kinds;

/* Adds the kinds of all nodes of a model. */
void layer_kinds_add(layer_kinds *kinds, const thaw_model *model);

/* Asserts that each layer of thaw/layers.h is the kind of some node that was added. */
void layer_kinds_assert_all(const layer_kinds *kinds);

#endif
