/* Shared by toys, see toys.h: what their kernels have to know. */
#ifndef THAW_TESTS_SUPPORT_TOY_H
#define THAW_TESTS_SUPPORT_TOY_H

#include "support/toys.h"

/* From the context's allocator, so that leaks show. */
typedef struct toy {
    size_t count;   /* elements of a batch */
    double batch;   /* samples */
    bool rectifies; /* a ReLU follows inside this kernel */
    bool centers;   /* the second parameter is a mean to subtract */
} toy;

/* The output has the shape of the inputs, which must be the same. */
thaw_status toy_build(thaw_layer_builder *builder, const void *options);

thaw_status toy_prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs);
void toy_release(thaw_context *context, void *state);

#endif
