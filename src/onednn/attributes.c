/* Attributes of primitives: who provides scratch memory, and what follows the kernel. */
#include "onednn/engine.h"

thaw_algorithm thaw_algorithm_of(thaw_activation function)
{
    static const thaw_algorithm algorithms[] = {
        [THAW_ACTIVATION_RELU] = { dnnl_eltwise_relu, dnnl_eltwise_relu_use_dst_for_bwd, 0, 0 },
        [THAW_ACTIVATION_RELU6] = { dnnl_eltwise_clip_v2, dnnl_eltwise_clip_v2_use_dst_for_bwd, 0, 6 },
        [THAW_ACTIVATION_SIGMOID] = { dnnl_eltwise_logistic, dnnl_eltwise_logistic_use_dst_for_bwd, 0, 0 },
        [THAW_ACTIVATION_TANH] = { dnnl_eltwise_tanh, dnnl_eltwise_tanh_use_dst_for_bwd, 0, 0 },
        [THAW_ACTIVATION_GELU] = { dnnl_eltwise_gelu_erf, dnnl_alg_kind_undef, 0, 0 },
        [THAW_ACTIVATION_SILU] = { dnnl_eltwise_swish, dnnl_alg_kind_undef, 1, 0 },
        [THAW_ACTIVATION_GELU_TANH] = { dnnl_eltwise_gelu_tanh, dnnl_alg_kind_undef, 0, 0 },
    };
    return algorithms[function];
}

static dnnl_status_t append_sum(dnnl_post_ops_t list)
{
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_post_ops_append_sum(list, 1, 0, dnnl_data_type_undef);
#else
    return thaw_dnnl_post_ops_append_sum(list, 1);
#endif
}

static dnnl_status_t append_activation(dnnl_post_ops_t list, thaw_activation activation)
{
    const thaw_algorithm algorithm = thaw_algorithm_of(activation);
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_post_ops_append_eltwise(list, algorithm.from_input, algorithm.alpha, algorithm.beta);
#else
    return thaw_dnnl_post_ops_append_eltwise(list, 1, algorithm.from_input, algorithm.alpha, algorithm.beta);
#endif
}

static dnnl_status_t set_after(dnnl_primitive_attr_t attributes, const thaw_after *after, thaw_layout_view destination)
{
    dnnl_post_ops_t list;
    dnnl_status_t status = thaw_dnnl_post_ops_create(&list);
    if (status != dnnl_success)
        return status;
    if (after->residual == THAW_RESIDUAL_IN_PLACE)
        status = append_sum(list);
    if (after->residual == THAW_RESIDUAL_BESIDE)
        status = thaw_dnnl_post_ops_append_binary(list, dnnl_binary_add, destination);
    if (status == dnnl_success && after->activation != THAW_ACTIVATION_NONE)
        status = append_activation(list, after->activation);
    if (status == dnnl_success)
        status = thaw_dnnl_primitive_attr_set_post_ops(attributes, list);
    dnnl_post_ops_destroy(list);
    return status;
}

thaw_status thaw_attributes_create(thaw_context *context, const thaw_after *after, thaw_layout_view destination,
                                   dnnl_primitive_attr_t *attributes)
{
    dnnl_primitive_attr_t made = NULL;
    dnnl_status_t status = thaw_dnnl_primitive_attr_create(&made);
    if (status == dnnl_success)
        status = dnnl_primitive_attr_set_scratchpad_mode(made, dnnl_scratchpad_mode_user);
    if (status == dnnl_success && after)
        status = set_after(made, after, destination);
    *attributes = made;
    if (status == dnnl_success)
        return THAW_OK;
    dnnl_primitive_attr_destroy(made);
    *attributes = NULL;
    return thaw_dnn_fail(context, status, "creating attributes");
}
