/* Kernels that are functions of our own, beside oneDNN's primitives. Those who run a kernel cannot tell them apart. */
#ifndef THAW_ONEDNN_OWN_KERNEL_H
#define THAW_ONEDNN_OWN_KERNEL_H

#include "onednn/kernel.h"

typedef struct thaw_own_kernel {
    const char *name;                  /* lives as long as the kernel */
    size_t bytes[THAW_ARGUMENT_KINDS]; /* of each argument; 0: the kernel does not have it */
    size_t scratch_bytes;

    /* `arguments` holds the buffers by thaw_argument, NULL where none was named. */
    void (*run)(thaw_context *context, const void *problem, void *const *arguments, void *scratch);

    /* For others that write and read packed WEIGHTS (placement.h): element k of row o of a weight with `row`
       elements per row is at floats row_at[o] + element_at[k]. NULL: nobody else does. */
    void (*place)(const void *problem, uint32_t *row_at, uint32_t *element_at);
    size_t row;
} thaw_own_kernel;

/* Makes a kernel with a copy of the problem. */
thaw_status thaw_kernel_create_own(thaw_context *context, const thaw_own_kernel *own, const void *problem,
                                   size_t problem_bytes, thaw_kernel **kernel);

/* The function that the kernel is, and its problem; NULL for a primitive. Borrowed. */
const thaw_own_kernel *thaw_kernel_own(const thaw_kernel *kernel, const void **problem);

#endif
