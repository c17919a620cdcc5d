#include "onednn/pooling.h"

#include "onednn/engine.h"

typedef struct setting {
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
    thaw_layout source, destination;
    dnnl_alg_kind_t kind;
    dnnl_dims_t kernel, stride, dilation, before, after;
} setting;

static void close_setting(thaw_context *context, setting *s)
{
    thaw_layout_release(context, s->source);
    thaw_layout_release(context, s->destination);
    dnnl_primitive_attr_destroy(s->attributes);
}

/* Close the setting afterwards, even on failure. */
static thaw_status open_setting(setting *s, thaw_context *context, const thaw_pooling *p)
{
    static const dnnl_alg_kind_t kinds[] = {
        [THAW_POOLING_MAX] = dnnl_pooling_max,
        [THAW_POOLING_AVERAGE] = dnnl_pooling_avg_include_padding,
        [THAW_POOLING_AVERAGE_INSIDE] = dnnl_pooling_avg_exclude_padding,
    };
    *s = (setting){ .kind = kinds[p->kind] };
    for (int i = 0; i < 2; i++) {
        s->kernel[i] = p->kernel[i];
        s->stride[i] = p->stride[i];
        s->dilation[i] = p->dilation[i] - 1;
        s->before[i] = p->padding_before[i];
        s->after[i] = p->padding_after[i];
    }
    thaw_engine *engine;
    thaw_status status = thaw_engine_of(context, &engine);
    if (status != THAW_OK)
        return status;
    s->engine = engine->engine;
    const int64_t source[] = { p->batch, p->channels, p->input[0], p->input[1] };
    const int64_t destination[] = { p->batch, p->channels, p->output[0], p->output[1] };
    status = thaw_attributes_create(context, NULL, NULL, &s->attributes);
    if (status == THAW_OK)
        status = thaw_layout_create_of(context, p->precision, 4, source, dnnl_nhwc, &s->source);
    return status == THAW_OK ? thaw_layout_create_of(context, p->precision, 4, destination, dnnl_nhwc, &s->destination)
                             : status;
}

static dnnl_status_t describe_forward(const setting *s, bool training, dnnl_primitive_desc_t *descriptor)
{
    const dnnl_prop_kind_t kind = training ? dnnl_forward_training : dnnl_forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_pooling_forward_primitive_desc_create(descriptor, s->engine, kind, s->kind, s->source,
                                                           s->destination, s->stride, s->kernel, s->dilation, s->before,
                                                           s->after, s->attributes);
#else
    dnnl_pooling_v2_desc_t operation;
    const dnnl_status_t status =
        dnnl_pooling_v2_forward_desc_init(&operation, kind, s->kind, s->source, s->destination, s->stride, s->kernel,
                                          s->dilation, s->before, s->after);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, NULL)
               : status;
#endif
}

static dnnl_status_t describe_backward(const setting *s, dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *descriptor)
{
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_pooling_backward_primitive_desc_create(descriptor, s->engine, s->kind, s->source, s->destination,
                                                            s->stride, s->kernel, s->dilation, s->before, s->after,
                                                            hint, s->attributes);
#else
    dnnl_pooling_v2_desc_t operation;
    const dnnl_status_t status =
        dnnl_pooling_v2_backward_desc_init(&operation, s->kind, s->source, s->destination, s->stride, s->kernel,
                                           s->dilation, s->before, s->after);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, hint)
               : status;
#endif
}

thaw_status thaw_pooling_forward(thaw_context *context, const thaw_pooling *problem, bool training,
                                 thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION,
                                               THAW_ARGUMENT_WORKSPACE };
    *kernel = NULL;
    setting s;
    dnnl_primitive_desc_t descriptor;
    thaw_status status = open_setting(&s, context, problem);
    if (status == THAW_OK) {
        const dnnl_status_t described = describe_forward(&s, training, &descriptor);
        if (described != dnnl_success)
            status = thaw_dnn_fail(context, described, "pooling");
    }
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel);
    close_setting(context, &s);
    return status;
}

thaw_status thaw_pooling_backward(thaw_context *context, const thaw_pooling *problem, thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_DESTINATION_GRADIENT, THAW_ARGUMENT_WORKSPACE,
                                               THAW_ARGUMENT_SOURCE_GRADIENT };
    *kernel = NULL;
    setting s;
    dnnl_primitive_desc_t descriptor, hint;
    thaw_status status = open_setting(&s, context, problem);
    if (status == THAW_OK) {
        dnnl_status_t described = describe_forward(&s, true, &hint);
        if (described == dnnl_success) {
            described = describe_backward(&s, hint, &descriptor);
            dnnl_primitive_desc_destroy(hint);
        }
        if (described != dnnl_success)
            status = thaw_dnn_fail(context, described, "pooling's gradient");
    }
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel);
    close_setting(context, &s);
    return status;
}
