#include "onednn/softmax.h"

#include "onednn/operation.h"

typedef struct softmax {
    thaw_operation of;
    dnnl_alg_kind_t kind;
} softmax;

static dnnl_status_t describe_forward(const thaw_operation *of, dnnl_prop_kind_t kind,
                                      dnnl_primitive_desc_t *descriptor)
{
    const softmax *s = (const softmax *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_softmax_forward_primitive_desc_create(descriptor, of->engine, kind, s->kind, of->source,
                                                           of->source, 1, of->attributes);
#else
    dnnl_softmax_v2_desc_t described;
    return thaw_operation_describe(of,
                                   dnnl_softmax_v2_forward_desc_init(&described, kind, s->kind, of->source, of->source,
                                                                     1),
                                   &described, NULL, descriptor);
#endif
}

static dnnl_status_t describe_backward(const thaw_operation *of, dnnl_primitive_desc_t hint,
                                       dnnl_primitive_desc_t *descriptor)
{
    const softmax *s = (const softmax *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_softmax_backward_primitive_desc_create(descriptor, of->engine, s->kind, of->source, of->source,
                                                            of->source, 1, hint, of->attributes);
#else
    dnnl_softmax_v2_desc_t described;
    return thaw_operation_describe(of,
                                   dnnl_softmax_v2_backward_desc_init(&described, s->kind, of->source, of->source,
                                                                      of->source, 1),
                                   &described, hint, descriptor);
#endif
}

/* All have one layout. Close it afterwards, even on failure. */
static thaw_status open(softmax *s, thaw_context *context, const thaw_softmax_rows *problem)
{
    const int64_t dims[] = { problem->rows, problem->columns };
    s->kind = problem->logarithm ? dnnl_softmax_log : dnnl_softmax_accurate;
    thaw_status status = thaw_operation_open(&s->of, context, "softmax", describe_forward);
    if (status == THAW_OK)
        status = thaw_attributes_create(context, NULL, NULL, &s->of.attributes);
    return status == THAW_OK ? thaw_layout_create(context, 2, dims, dnnl_ab, &s->of.source) : status;
}

thaw_status thaw_softmax_forward(thaw_context *context, const thaw_softmax_rows *problem, bool training,
                                 thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION };
    softmax s;
    *kernel = NULL;
    thaw_status status = open(&s, context, problem);
    if (status == THAW_OK)
        status = thaw_operation_forward(&s.of, training, arguments, THAW_COUNT(arguments), kernel);
    thaw_operation_close(&s.of);
    return status;
}

thaw_status thaw_softmax_backward(thaw_context *context, const thaw_softmax_rows *problem, thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_DESTINATION, THAW_ARGUMENT_DESTINATION_GRADIENT,
                                               THAW_ARGUMENT_SOURCE_GRADIENT };
    softmax s;
    *kernel = NULL;
    thaw_status status = open(&s, context, problem);
    if (status == THAW_OK)
        status = thaw_operation_backward(&s.of, describe_backward, arguments, THAW_COUNT(arguments), kernel);
    thaw_operation_close(&s.of);
    return status;
}
