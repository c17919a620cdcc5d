/* The functions of oneDNN that need memory, named thaw_ and their own name. oneDNN is written in C++ and throws when it
   gets none: out of its C interface, which would end a process that is written in C. Built with a C++ compiler (guarded.cpp,
   the option `cpp`), these return dnnl_out_of_memory instead, and oneDNN can be used on; without one they just call it. */
#ifndef THAW_ONEDNN_GUARDED_H
#define THAW_ONEDNN_GUARDED_H

#include <oneapi/dnnl/dnnl.h>

#ifdef __cplusplus
extern "C" {
#endif

#if DNNL_VERSION_MAJOR >= 3
#define THAW_DNNL_CREATORS_OF_VERSION(X)                                                                               \
    X(memory_desc_create_with_tag,                                                                                     \
      (dnnl_memory_desc_t * made, int rank, const dnnl_dims_t dims, dnnl_data_type_t type, dnnl_format_tag_t tag),     \
      dnnl_memory_desc_create_with_tag(made, rank, dims, type, tag))                                                   \
    X(memory_create, (dnnl_memory_t * made, const_dnnl_memory_desc_t layout, dnnl_engine_t engine, void *data),        \
      dnnl_memory_create(made, layout, engine, data))                                                                  \
    X(post_ops_append_eltwise, (dnnl_post_ops_t list, dnnl_alg_kind_t kind, float alpha, float beta),                  \
      dnnl_post_ops_append_eltwise(list, kind, alpha, beta))                                                           \
    X(post_ops_append_sum, (dnnl_post_ops_t list, float scale, int32_t zero_point, dnnl_data_type_t type),             \
      dnnl_post_ops_append_sum(list, scale, zero_point, type))                                                         \
    X(post_ops_append_binary, (dnnl_post_ops_t list, dnnl_alg_kind_t kind, const_dnnl_memory_desc_t layout),           \
      dnnl_post_ops_append_binary(list, kind, layout))                                                                 \
    X(primitive_desc_clone, (dnnl_primitive_desc_t * made, const_dnnl_primitive_desc_t from),                          \
      dnnl_primitive_desc_clone(made, from))                                                                           \
    X(primitive_desc_next_impl, (dnnl_primitive_desc_t descriptor), dnnl_primitive_desc_next_impl(descriptor))         \
    X(reorder_primitive_desc_create,                                                                                   \
      (dnnl_primitive_desc_t * made, const_dnnl_memory_desc_t from, dnnl_engine_t from_engine,                         \
       const_dnnl_memory_desc_t into, dnnl_engine_t into_engine, const_dnnl_primitive_attr_t attributes),              \
      dnnl_reorder_primitive_desc_create(made, from, from_engine, into, into_engine, attributes))                      \
    X(binary_primitive_desc_create,                                                                                    \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_alg_kind_t kind, const_dnnl_memory_desc_t left,        \
       const_dnnl_memory_desc_t right, const_dnnl_memory_desc_t result, const_dnnl_primitive_attr_t attributes),       \
      dnnl_binary_primitive_desc_create(made, engine, kind, left, right, result, attributes))                          \
    X(convolution_forward_primitive_desc_create,                                                                       \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t kind,                \
       const_dnnl_memory_desc_t source, const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t bias,               \
       const_dnnl_memory_desc_t destination, const dnnl_dims_t strides, const dnnl_dims_t dilations,                   \
       const dnnl_dims_t before, const dnnl_dims_t after, const_dnnl_primitive_attr_t attributes),                     \
      dnnl_convolution_forward_primitive_desc_create(made, engine, pass, kind, source, weights, bias, destination,     \
                                                     strides, dilations, before, after, attributes))                   \
    X(convolution_backward_data_primitive_desc_create,                                                                 \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_alg_kind_t kind, const_dnnl_memory_desc_t source,      \
       const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t destination, const dnnl_dims_t strides,              \
       const dnnl_dims_t dilations, const dnnl_dims_t before, const dnnl_dims_t after,                                 \
       const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes),                                      \
      dnnl_convolution_backward_data_primitive_desc_create(made, engine, kind, source, weights, destination, strides,  \
                                                           dilations, before, after, hint, attributes))                \
    X(convolution_backward_weights_primitive_desc_create,                                                              \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_alg_kind_t kind, const_dnnl_memory_desc_t source,      \
       const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t destination,          \
       const dnnl_dims_t strides, const dnnl_dims_t dilations, const dnnl_dims_t before, const dnnl_dims_t after,      \
       const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes),                                      \
      dnnl_convolution_backward_weights_primitive_desc_create(made, engine, kind, source, weights, bias, destination,  \
                                                              strides, dilations, before, after, hint, attributes))    \
    X(inner_product_forward_primitive_desc_create,                                                                     \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_prop_kind_t pass, const_dnnl_memory_desc_t source,     \
       const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t destination,          \
       const_dnnl_primitive_attr_t attributes),                                                                        \
      dnnl_inner_product_forward_primitive_desc_create(made, engine, pass, source, weights, bias, destination,         \
                                                       attributes))                                                    \
    X(inner_product_backward_data_primitive_desc_create,                                                               \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, const_dnnl_memory_desc_t source,                            \
       const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t destination, const_dnnl_primitive_desc_t hint,       \
       const_dnnl_primitive_attr_t attributes),                                                                        \
      dnnl_inner_product_backward_data_primitive_desc_create(made, engine, source, weights, destination, hint,         \
                                                             attributes))                                              \
    X(inner_product_backward_weights_primitive_desc_create,                                                            \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, const_dnnl_memory_desc_t source,                            \
       const_dnnl_memory_desc_t weights, const_dnnl_memory_desc_t bias, const_dnnl_memory_desc_t destination,          \
       const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes),                                      \
      dnnl_inner_product_backward_weights_primitive_desc_create(made, engine, source, weights, bias, destination,      \
                                                                hint, attributes))                                     \
    X(eltwise_forward_primitive_desc_create,                                                                           \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t kind,                \
       const_dnnl_memory_desc_t source, const_dnnl_memory_desc_t destination, float alpha, float beta,                 \
       const_dnnl_primitive_attr_t attributes),                                                                        \
      dnnl_eltwise_forward_primitive_desc_create(made, engine, pass, kind, source, destination, alpha, beta,           \
                                                 attributes))                                                          \
    X(eltwise_backward_primitive_desc_create,                                                                          \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_alg_kind_t kind,                                       \
       const_dnnl_memory_desc_t source_gradient, const_dnnl_memory_desc_t destination_gradient,                        \
       const_dnnl_memory_desc_t data, float alpha, float beta, const_dnnl_primitive_desc_t hint,                       \
       const_dnnl_primitive_attr_t attributes),                                                                        \
      dnnl_eltwise_backward_primitive_desc_create(made, engine, kind, source_gradient, destination_gradient, data,     \
                                                  alpha, beta, hint, attributes))                                      \
    X(pooling_forward_primitive_desc_create,                                                                           \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t kind,                \
       const_dnnl_memory_desc_t source, const_dnnl_memory_desc_t destination, const dnnl_dims_t strides,               \
       const dnnl_dims_t kernel, const dnnl_dims_t dilations, const dnnl_dims_t before, const dnnl_dims_t after,       \
       const_dnnl_primitive_attr_t attributes),                                                                        \
      dnnl_pooling_forward_primitive_desc_create(made, engine, pass, kind, source, destination, strides, kernel,       \
                                                 dilations, before, after, attributes))                                \
    X(pooling_backward_primitive_desc_create,                                                                          \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_alg_kind_t kind, const_dnnl_memory_desc_t source,      \
       const_dnnl_memory_desc_t destination, const dnnl_dims_t strides, const dnnl_dims_t kernel,                      \
       const dnnl_dims_t dilations, const dnnl_dims_t before, const dnnl_dims_t after,                                 \
       const_dnnl_primitive_desc_t hint, const_dnnl_primitive_attr_t attributes),                                      \
      dnnl_pooling_backward_primitive_desc_create(made, engine, kind, source, destination, strides, kernel, dilations, \
                                                  before, after, hint, attributes))                                    \
    X(softmax_forward_primitive_desc_create,                                                                           \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_prop_kind_t pass, dnnl_alg_kind_t kind,                \
       const_dnnl_memory_desc_t source, const_dnnl_memory_desc_t destination, int axis,                                \
       const_dnnl_primitive_attr_t attributes),                                                                        \
      dnnl_softmax_forward_primitive_desc_create(made, engine, pass, kind, source, destination, axis, attributes))     \
    X(softmax_backward_primitive_desc_create,                                                                          \
      (dnnl_primitive_desc_t * made, dnnl_engine_t engine, dnnl_alg_kind_t kind,                                       \
       const_dnnl_memory_desc_t source_gradient, const_dnnl_memory_desc_t destination_gradient,                        \
       const_dnnl_memory_desc_t destination, int axis, const_dnnl_primitive_desc_t hint,                               \
       const_dnnl_primitive_attr_t attributes),                                                                        \
      dnnl_softmax_backward_primitive_desc_create(made, engine, kind, source_gradient, destination_gradient,           \
                                                  destination, axis, hint, attributes))
#else
#define THAW_DNNL_CREATORS_OF_VERSION(X)                                                                              \
    X(memory_create, (dnnl_memory_t * made, const dnnl_memory_desc_t *layout, dnnl_engine_t engine, void *data),      \
      dnnl_memory_create(made, layout, engine, data))                                                                 \
    X(post_ops_append_eltwise, (dnnl_post_ops_t list, float scale, dnnl_alg_kind_t kind, float alpha, float beta),    \
      dnnl_post_ops_append_eltwise(list, scale, kind, alpha, beta))                                                   \
    X(post_ops_append_sum, (dnnl_post_ops_t list, float scale), dnnl_post_ops_append_sum(list, scale))                \
    X(post_ops_append_binary, (dnnl_post_ops_t list, dnnl_alg_kind_t kind, const dnnl_memory_desc_t *layout),         \
      dnnl_post_ops_append_binary(list, kind, layout))                                                                \
    X(primitive_desc_create,                                                                                          \
      (dnnl_primitive_desc_t * made, const_dnnl_op_desc_t operation, const_dnnl_primitive_attr_t attributes,          \
       dnnl_engine_t engine, const_dnnl_primitive_desc_t hint),                                                       \
      dnnl_primitive_desc_create(made, operation, attributes, engine, hint))                                          \
    X(primitive_desc_iterator_create,                                                                                 \
      (dnnl_primitive_desc_iterator_t * made, const_dnnl_op_desc_t operation, const_dnnl_primitive_attr_t attributes, \
       dnnl_engine_t engine, const_dnnl_primitive_desc_t hint),                                                       \
      dnnl_primitive_desc_iterator_create(made, operation, attributes, engine, hint))                                 \
    X(primitive_desc_iterator_fetch, (dnnl_primitive_desc_t * made, dnnl_primitive_desc_iterator_t each),             \
      (*made = dnnl_primitive_desc_iterator_fetch(each)) ? dnnl_success : dnnl_iterator_ends)                         \
    X(primitive_desc_iterator_next, (dnnl_primitive_desc_iterator_t each), dnnl_primitive_desc_iterator_next(each))   \
    X(reorder_primitive_desc_create,                                                                                  \
      (dnnl_primitive_desc_t * made, const dnnl_memory_desc_t *from, dnnl_engine_t from_engine,                       \
       const dnnl_memory_desc_t *into, dnnl_engine_t into_engine, const_dnnl_primitive_attr_t attributes),            \
      dnnl_reorder_primitive_desc_create(made, from, from_engine, into, into_engine, attributes))
#endif

/* X(name, parameters, call) of each that creates something. */
#define THAW_DNNL_CREATORS(X)                                                                      \
    X(engine_create, (dnnl_engine_t * made, dnnl_engine_kind_t kind, size_t index),                \
      dnnl_engine_create(made, kind, index))                                                       \
    X(stream_create, (dnnl_stream_t * made, dnnl_engine_t engine, unsigned flags),                 \
      dnnl_stream_create(made, engine, flags))                                                     \
    X(primitive_attr_create, (dnnl_primitive_attr_t * made), dnnl_primitive_attr_create(made))     \
    X(primitive_attr_set_post_ops, (dnnl_primitive_attr_t attributes, const_dnnl_post_ops_t list), \
      dnnl_primitive_attr_set_post_ops(attributes, list))                                          \
    X(post_ops_create, (dnnl_post_ops_t * made), dnnl_post_ops_create(made))                       \
    X(primitive_create, (dnnl_primitive_t * made, const_dnnl_primitive_desc_t descriptor),         \
      dnnl_primitive_create(made, descriptor))                                                     \
    THAW_DNNL_CREATORS_OF_VERSION(X)

#define THAW_DNNL_PRODUCT(X)                                                                                           \
    X(sgemm,                                                                                                           \
      (char left, char right, dnnl_dim_t m, dnnl_dim_t n, dnnl_dim_t k, float alpha, const float *a, dnnl_dim_t a_row, \
       const float *b, dnnl_dim_t b_row, float beta, float *c, dnnl_dim_t c_row),                                      \
      dnnl_sgemm(left, right, m, n, k, alpha, a, a_row, b, b_row, beta, c, c_row))

#define THAW_DNNL_EXECUTE(X)                                                                                 \
    X(primitive_execute,                                                                                     \
      (const_dnnl_primitive_t primitive, dnnl_stream_t stream, int count, const dnnl_exec_arg_t *arguments), \
      dnnl_primitive_execute(primitive, stream, count, arguments))

#ifdef THAW_CATCHES
#define THAW_DECLARE(name, parameters, call) dnnl_status_t thaw_dnnl_##name parameters;
#else
#define THAW_DECLARE(name, parameters, call)                \
    static inline dnnl_status_t thaw_dnnl_##name parameters \
    {                                                       \
        return call;                                        \
    }
#endif
THAW_DNNL_CREATORS(THAW_DECLARE)
THAW_DNNL_PRODUCT(THAW_DECLARE)
THAW_DNNL_EXECUTE(THAW_DECLARE)
#undef THAW_DECLARE

#ifdef __cplusplus
}
#endif

#endif
