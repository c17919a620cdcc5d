/* A problem as oneDNN sees it, from which kernels for forward and backward are made. A wrapper has it as the first
   member of a struct of its own, with what else its descriptors are made from. Only src/onednn includes this. */
#ifndef THAW_ONEDNN_OPERATION_H
#define THAW_ONEDNN_OPERATION_H

#include "onednn/engine.h"

typedef struct thaw_operation thaw_operation;

/* Make a primitive descriptor, which the caller owns. The hint is a forward descriptor, which oneDNN requires. */
typedef dnnl_status_t thaw_describe_forward(const thaw_operation *of, dnnl_prop_kind_t kind,
                                            dnnl_primitive_desc_t *descriptor);
typedef dnnl_status_t thaw_describe_backward(const thaw_operation *of, dnnl_primitive_desc_t hint,
                                             dnnl_primitive_desc_t *descriptor);

struct thaw_operation {
    thaw_context *context;
    const char *name; /* for messages */
    thaw_describe_forward *forward;
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
    thaw_layout source, destination;
};

/* Begins it with the context's engine. The wrapper makes the layouts, and then the attributes by
   thaw_attributes_create. Close it afterwards, even on failure. */
thaw_status thaw_operation_open(thaw_operation *made, thaw_context *context, const char *name,
                                thaw_describe_forward *forward);

/* Releases attributes and layouts. */
void thaw_operation_close(thaw_operation *closed);

/* Make a kernel; `arguments` as for thaw_kernel_create. */
thaw_status thaw_operation_forward(const thaw_operation *of, bool training, const thaw_argument *arguments,
                                   size_t count, thaw_kernel **kernel);
thaw_status thaw_operation_backward(const thaw_operation *of, thaw_describe_backward *backward,
                                    const thaw_argument *arguments, size_t count, thaw_kernel **kernel);

#if DNNL_VERSION_MAJOR < 3
/* Makes the primitive descriptor of an operation descriptor, unless `status` says that there is none. */
dnnl_status_t thaw_operation_describe(const thaw_operation *of, dnnl_status_t status, const void *described,
                                      dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *descriptor);
#endif

#endif
