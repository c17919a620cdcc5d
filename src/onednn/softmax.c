#include "onednn/softmax.h"

#include "onednn/engine.h"

typedef struct setting {
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
    thaw_layout data;
    dnnl_alg_kind_t kind;
} setting;

static void close_setting(thaw_context *context, setting *s)
{
    thaw_layout_release(context, s->data);
    dnnl_primitive_attr_destroy(s->attributes);
}

/* Close the setting afterwards, even on failure. */
static thaw_status open_setting(setting *s, thaw_context *context, const thaw_softmax_rows *problem)
{
    *s = (setting){ .kind = problem->logarithm ? dnnl_softmax_log : dnnl_softmax_accurate };
    thaw_engine *engine;
    thaw_status status = thaw_engine_of(context, &engine);
    if (status != THAW_OK)
        return status;
    s->engine = engine->engine;
    status = thaw_attributes_create(context, NULL, NULL, &s->attributes);
    const int64_t dims[] = { problem->rows, problem->columns };
    return status == THAW_OK ? thaw_layout_create(context, 2, dims, dnnl_ab, &s->data) : status;
}

static dnnl_status_t describe_forward(const setting *s, bool training, dnnl_primitive_desc_t *descriptor)
{
    const dnnl_prop_kind_t kind = training ? dnnl_forward_training : dnnl_forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_softmax_forward_primitive_desc_create(descriptor, s->engine, kind, s->kind, s->data, s->data, 1,
                                                           s->attributes);
#else
    dnnl_softmax_v2_desc_t operation;
    const dnnl_status_t status = dnnl_softmax_v2_forward_desc_init(&operation, kind, s->kind, s->data, s->data, 1);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, NULL)
               : status;
#endif
}

static dnnl_status_t describe_backward(const setting *s, dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *descriptor)
{
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_softmax_backward_primitive_desc_create(descriptor, s->engine, s->kind, s->data, s->data, s->data,
                                                            1, hint, s->attributes);
#else
    dnnl_softmax_v2_desc_t operation;
    const dnnl_status_t status = dnnl_softmax_v2_backward_desc_init(&operation, s->kind, s->data, s->data, s->data, 1);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, hint)
               : status;
#endif
}

thaw_status thaw_softmax_forward(thaw_context *context, const thaw_softmax_rows *problem, bool training,
                                 thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION };
    *kernel = NULL;
    setting s;
    dnnl_primitive_desc_t descriptor;
    thaw_status status = open_setting(&s, context, problem);
    if (status == THAW_OK) {
        const dnnl_status_t described = describe_forward(&s, training, &descriptor);
        if (described != dnnl_success)
            status = thaw_dnn_fail(context, described, "softmax");
    }
    close_setting(context, &s);
    return status == THAW_OK ? thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel)
                             : status;
}

thaw_status thaw_softmax_backward(thaw_context *context, const thaw_softmax_rows *problem, thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_DESTINATION, THAW_ARGUMENT_DESTINATION_GRADIENT,
                                               THAW_ARGUMENT_SOURCE_GRADIENT };
    *kernel = NULL;
    setting s;
    dnnl_primitive_desc_t hint = NULL, descriptor;
    thaw_status status = open_setting(&s, context, problem);
    if (status == THAW_OK) {
        dnnl_status_t described = describe_forward(&s, true, &hint);
        if (described == dnnl_success)
            described = describe_backward(&s, hint, &descriptor);
        if (described != dnnl_success)
            status = thaw_dnn_fail(context, described, "the gradient of softmax");
    }
    if (hint)
        dnnl_primitive_desc_destroy(hint);
    close_setting(context, &s);
    return status == THAW_OK ? thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel)
                             : status;
}
