/* oneDNN's CPU engine and stream, one pair per context, and what the wrappers of this folder share. Only src/onednn
   includes this: it includes oneDNN's headers. */
#ifndef THAW_ONEDNN_ENGINE_H
#define THAW_ONEDNN_ENGINE_H

#include "onednn/guarded.h"
#include "onednn/kernel.h"

typedef struct thaw_engine {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
} thaw_engine;

/* The context's engine, made at the first call. Errors: THAW_UNSUPPORTED (oneDNN at run time is of another major
   version than its headers), THAW_OUT_OF_MEMORY. */
thaw_status thaw_engine_of(thaw_context *context, thaw_engine **engine);

/* Turns a oneDNN status into ours; `what` names the call. */
thaw_status thaw_dnn_fail(thaw_context *context, dnnl_status_t status, const char *what);

/* ---- memory descriptors: pointers in both versions of oneDNN ---- */

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t thaw_layout_view; /* borrowed */
typedef dnnl_memory_desc_t thaw_layout;            /* owned */
#else
typedef const dnnl_memory_desc_t *thaw_layout_view;
typedef dnnl_memory_desc_t *thaw_layout;
#endif

/* Dense f32 of `rank` dimensions in oneDNN's logical order, laid out by `tag`. */
thaw_status thaw_layout_create(thaw_context *context, int rank, const int64_t *dims, dnnl_format_tag_t tag,
                               thaw_layout *layout);

/* The same in THAW_F32 or THAW_BF16. */
thaw_status thaw_layout_create_of(thaw_context *context, thaw_dtype dtype, int rank, const int64_t *dims,
                                  dnnl_format_tag_t tag, thaw_layout *layout);
void thaw_layout_release(thaw_context *context, thaw_layout layout); /* NULL is allowed */

/* ---- kernels ---- */

/* Makes a kernel from a primitive descriptor, which it takes over, even on failure. `arguments` lists what the
   kernel may have: those that the descriptor does not know, such as a missing bias, are left out. */
thaw_status thaw_kernel_create(thaw_context *context, dnnl_primitive_desc_t descriptor, const thaw_argument *arguments,
                               size_t count, thaw_kernel **kernel);

/* The descriptor from which a primitive's kernel was made, as a hint for backward kernels. Borrowed. */
const_dnnl_primitive_desc_t thaw_kernel_descriptor(const thaw_kernel *kernel);

/* The layout of an argument of a primitive's kernel; NULL for a kernel of our own. Borrowed. */
thaw_layout_view thaw_kernel_layout(const thaw_kernel *kernel, thaw_argument argument);

/* oneDNN's names for one function, and its parameters. */
typedef struct thaw_algorithm {
    dnnl_alg_kind_t from_input, from_output; /* from_output may be dnnl_alg_kind_undef */
    float alpha, beta;
} thaw_algorithm;

thaw_algorithm thaw_algorithm_of(thaw_activation function);

/* Makes the attributes of a kernel: the caller provides scratch memory. `after` may be NULL for nothing.
   `destination` is read if `after` has a residual beside it. The caller destroys the attributes. */
thaw_status thaw_attributes_create(thaw_context *context, const thaw_after *after, thaw_layout_view destination,
                                   dnnl_primitive_attr_t *attributes);

/* A kernel that copies SOURCE to DESTINATION between layouts; *kernel is NULL when they are equal. */
thaw_status thaw_reorder_create(thaw_context *context, thaw_layout_view source, thaw_layout_view destination,
                                thaw_kernel **kernel);

#endif
