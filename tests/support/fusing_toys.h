/* Toys, see toys.h, that become one kernel: what a plan fuses, and what comes of it. */
#ifndef THAW_TESTS_FUSING_TOYS_H
#define THAW_TESTS_FUSING_TOYS_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>

/* y = f x with one weight, "factor"; takes any epilogue. Backward of the second differentiates activations, from its
   output, and writes its input's gradient over the output's; it takes no channel map. */
extern const thaw_layer_module toy_linear, toy_whole;

extern const thaw_layer_module toy_map; /* y = f (x + 1), with one weight, "factor"; a channel map while it is frozen */
extern const thaw_layer_module toy_join; /* y = a + b, which a layer before may do; in place over a */

#endif
