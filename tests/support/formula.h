/* Large tensors made from their names: tests/golden/formula.py has the same formula. */
#ifndef THAW_TESTS_FORMULA_H
#define THAW_TESTS_FORMULA_H

#include <stddef.h>
#include <stdint.h>
#include <thaw/model.h>

/* The first factor of all: FNV-1a of the name. */
uint32_t formula_key(const char *name);

/* Element `index` of the tensor of that key, uniform in [-1, 1). */
double formula_uniform(uint32_t key, size_t index);

/* Fills all parameters of the model, statistics too. `branch_ends` is a pattern of the batch normalisation that ends a
   residual branch; NULL: none. */
void formula_fill(thaw_model *model, const char *branch_ends);

/* Fills images [batch, height, width, channels] with the elements that "input" has in PyTorch's order. */
void formula_fill_images(float *images, size_t batch, const thaw_shape *sample);

/* The norm of a tensor, and its product with the formula's of the name "probe". */
void formula_measure(const float *values, size_t count, double *norm, double *product);

#endif
