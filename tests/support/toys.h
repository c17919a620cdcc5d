/* Layers so small that what a network of them computes can be worked out by hand. They see thaw/layer_module.h alone.
   All keep their input's shape. */
#ifndef THAW_TESTS_TOYS_H
#define THAW_TESTS_TOYS_H

#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>

/* The values that a run names, which are floats. */
static inline const float *toy_input(const thaw_layer_run *run, size_t k)
{
    return run->inputs[k];
}

static inline float *toy_output(const thaw_layer_run *run)
{
    return run->output;
}

static inline const float *toy_output_gradient(const thaw_layer_run *run)
{
    return run->output_gradient;
}

static inline float *toy_input_gradient(const thaw_layer_run *run, size_t k)
{
    return run->input_gradients[k];
}

/* y = f x with one weight, "factor", which starts in [-1, 1). Applies a ReLU to its output when it is asked to. Reads
   its input in backward only where the factor trains. */
extern const thaw_layer_module toy_scale;

/* y = f (x - m) with a factor, and a statistic, "mean", of 3 elements, of which it subtracts the first; 0 at first. */
extern const thaw_layer_module toy_center;

/* Sources of [4]: every element is the weight "factor", or 0.75. */
extern const thaw_layer_module toy_bias, toy_constant;

extern const thaw_layer_module toy_sum;       /* y = a + b; in place over a, forward and backward */
extern const thaw_layer_module toy_product;   /* y = a b; backward reads both */
extern const thaw_layer_module toy_pass;      /* y = x; costs nothing */
extern const thaw_layer_module toy_curve;     /* y = tanh x; in place, backward reads y */
extern const thaw_layer_module toy_relu;      /* the same of max(0, x), which a layer before may do */
extern const thaw_layer_module toy_quadratic; /* a loss: the batch's mean of |x - t|^2 / 2 */

#endif
