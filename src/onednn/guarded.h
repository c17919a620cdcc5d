/* oneDNN's functions that need memory, under the name thaw_dnnl_ and their own. oneDNN is written in C++ and throws if
   it gets none. An exception that leaves its C interface would end a process written in C. If the build has a C++
   compiler (option `cpp`, guarded.cpp), these return dnnl_out_of_memory instead, and oneDNN stays usable. Otherwise
   they are oneDNN's functions themselves. */
#ifndef THAW_ONEDNN_GUARDED_H
#define THAW_ONEDNN_GUARDED_H

#include <oneapi/dnnl/dnnl.h>

#ifdef __cplusplus
extern "C" {
#endif

#if DNNL_VERSION_MAJOR >= 3
#define THAW_DNNL_CREATORS_OF_VERSION(X)                    \
    X(memory_desc_create_with_tag)                          \
    X(primitive_desc_clone)                                 \
    X(primitive_desc_next_impl)                             \
    X(binary_primitive_desc_create)                         \
    X(convolution_forward_primitive_desc_create)            \
    X(convolution_backward_data_primitive_desc_create)      \
    X(convolution_backward_weights_primitive_desc_create)   \
    X(inner_product_forward_primitive_desc_create)          \
    X(inner_product_backward_data_primitive_desc_create)    \
    X(inner_product_backward_weights_primitive_desc_create) \
    X(eltwise_forward_primitive_desc_create)                \
    X(eltwise_backward_primitive_desc_create)               \
    X(pooling_forward_primitive_desc_create)                \
    X(pooling_backward_primitive_desc_create)               \
    X(softmax_forward_primitive_desc_create)                \
    X(softmax_backward_primitive_desc_create)
#else
/* dnnl_primitive_desc_iterator_fetch, but with a status. */
static inline dnnl_status_t dnnl_primitive_desc_iterator_take(dnnl_primitive_desc_t *made,
                                                              dnnl_primitive_desc_iterator_t each)
{
    *made = dnnl_primitive_desc_iterator_fetch(each);
    return *made ? dnnl_success : dnnl_iterator_ends;
}

#define THAW_DNNL_CREATORS_OF_VERSION(X) \
    X(primitive_desc_create)             \
    X(primitive_desc_iterator_create)    \
    X(primitive_desc_iterator_take)      \
    X(primitive_desc_iterator_next)
#endif

/* X(name) for each function that creates something. */
#define THAW_DNNL_CREATORS(X)        \
    X(engine_create)                 \
    X(stream_create)                 \
    X(memory_create)                 \
    X(post_ops_create)               \
    X(post_ops_append_eltwise)       \
    X(post_ops_append_sum)           \
    X(post_ops_append_binary)        \
    X(primitive_attr_create)         \
    X(primitive_attr_set_post_ops)   \
    X(primitive_create)              \
    X(reorder_primitive_desc_create) \
    THAW_DNNL_CREATORS_OF_VERSION(X)

#ifdef THAW_CATCHES
#define THAW_DECLARE(name) extern __typeof__(dnnl_##name) *const thaw_dnnl_##name;
#else
#define THAW_DECLARE(name) static __typeof__(dnnl_##name) *const thaw_dnnl_##name = dnnl_##name;
#endif
THAW_DNNL_CREATORS(THAW_DECLARE)
THAW_DECLARE(sgemm)
THAW_DECLARE(primitive_execute)
#undef THAW_DECLARE

#ifdef __cplusplus
}
#endif

#endif
