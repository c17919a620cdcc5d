#include "onednn/pooling.h"

#include "onednn/operation.h"

typedef struct pooling {
    thaw_operation of;
    dnnl_alg_kind_t kind;
    dnnl_dims_t kernel, stride, dilation, before, after;
} pooling;

static dnnl_status_t describe_forward(const thaw_operation *of, dnnl_prop_kind_t kind,
                                      dnnl_primitive_desc_t *descriptor)
{
    const pooling *p = (const pooling *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_pooling_forward_primitive_desc_create(descriptor, of->engine, kind, p->kind, of->source,
                                                           of->destination, p->stride, p->kernel, p->dilation,
                                                           p->before, p->after, of->attributes);
#else
    dnnl_pooling_v2_desc_t described;
    const dnnl_status_t status =
        dnnl_pooling_v2_forward_desc_init(&described, kind, p->kind, of->source, of->destination, p->stride, p->kernel,
                                          p->dilation, p->before, p->after);
    return thaw_operation_describe(of, status, &described, NULL, descriptor);
#endif
}

static dnnl_status_t describe_backward(const thaw_operation *of, dnnl_primitive_desc_t hint,
                                       dnnl_primitive_desc_t *descriptor)
{
    const pooling *p = (const pooling *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_pooling_backward_primitive_desc_create(descriptor, of->engine, p->kind, of->source,
                                                            of->destination, p->stride, p->kernel, p->dilation,
                                                            p->before, p->after, hint, of->attributes);
#else
    dnnl_pooling_v2_desc_t described;
    const dnnl_status_t status =
        dnnl_pooling_v2_backward_desc_init(&described, p->kind, of->source, of->destination, p->stride, p->kernel,
                                           p->dilation, p->before, p->after);
    return thaw_operation_describe(of, status, &described, hint, descriptor);
#endif
}

/* Close it afterwards, even on failure. */
static thaw_status open(pooling *made, thaw_context *context, const thaw_pooling *p)
{
    static const dnnl_alg_kind_t kinds[] = {
        [THAW_POOLING_MAX] = dnnl_pooling_max,
        [THAW_POOLING_AVERAGE] = dnnl_pooling_avg_include_padding,
        [THAW_POOLING_AVERAGE_INSIDE] = dnnl_pooling_avg_exclude_padding,
    };
    const int64_t source[] = { p->batch, p->channels, p->input[0], p->input[1] };
    const int64_t destination[] = { p->batch, p->channels, p->output[0], p->output[1] };
    made->kind = kinds[p->kind];
    for (int i = 0; i < 2; i++) {
        made->kernel[i] = p->kernel[i];
        made->stride[i] = p->stride[i];
        made->dilation[i] = p->dilation[i] - 1;
        made->before[i] = p->padding_before[i];
        made->after[i] = p->padding_after[i];
    }
    thaw_operation *of = &made->of;
    thaw_status status = thaw_operation_open(of, context, "pooling", describe_forward);
    if (status == THAW_OK)
        status = thaw_attributes_create(context, NULL, NULL, &of->attributes);
    if (status == THAW_OK)
        status = thaw_layout_create_of(context, p->precision, 4, source, dnnl_nhwc, &of->source);
    return status == THAW_OK ? thaw_layout_create_of(context, p->precision, 4, destination, dnnl_nhwc, &of->destination)
                             : status;
}

thaw_status thaw_pooling_forward(thaw_context *context, const thaw_pooling *problem, bool training,
                                 thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION,
                                               THAW_ARGUMENT_WORKSPACE };
    pooling p;
    *kernel = NULL;
    thaw_status status = open(&p, context, problem);
    if (status == THAW_OK)
        status = thaw_operation_forward(&p.of, training, arguments, THAW_COUNT(arguments), kernel);
    thaw_operation_close(&p.of);
    return status;
}

thaw_status thaw_pooling_backward(thaw_context *context, const thaw_pooling *problem, thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_DESTINATION_GRADIENT, THAW_ARGUMENT_WORKSPACE,
                                               THAW_ARGUMENT_SOURCE_GRADIENT };
    pooling p;
    *kernel = NULL;
    thaw_status status = open(&p, context, problem);
    if (status == THAW_OK)
        status = thaw_operation_backward(&p.of, describe_backward, arguments, THAW_COUNT(arguments), kernel);
    thaw_operation_close(&p.of);
    return status;
}
