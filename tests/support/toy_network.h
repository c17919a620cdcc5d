/* Networks of toys. */
#ifndef THAW_TESTS_TOY_NETWORK_H
#define THAW_TESTS_TOY_NETWORK_H

#include "support/support.h"
#include "support/toys.h"

/* A model whose input, node 0, holds `width` features. */
thaw_model *toy_model(thaw_context *context, int64_t width);

/* Appends a layer; `second` -1: it has one input; `first` -1, too: none. NULL makes a name. */
thaw_node toy_append(thaw_model *model, const thaw_layer_module *module, const char *name, thaw_node first,
                     thaw_node second);

/* The first element of a parameter, by name. */
float toy_value(thaw_model *model, const char *parameter);

/* One step on a batch of numbers in [-1, 1) that depend on `seed`, with such targets. */
thaw_status toy_step(thaw_model *model, int64_t batch, uint32_t seed, const thaw_step_options *options);

#endif
