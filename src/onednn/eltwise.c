#include "onednn/eltwise.h"

#include "onednn/operation.h"

static thaw_algorithm algorithm_of(const thaw_eltwise *problem)
{
    thaw_algorithm algorithm = thaw_algorithm_of(problem->function);
    if (problem->function == THAW_ACTIVATION_RELU)
        algorithm.alpha = (float)problem->slope;
    return algorithm;
}

/* With a negative slope, the output does not have the input's sign. */
bool thaw_eltwise_backward_from_output(const thaw_eltwise *problem)
{
    return algorithm_of(problem).from_output != dnnl_alg_kind_undef && problem->slope >= 0;
}

typedef struct eltwise {
    thaw_operation of;
    dnnl_alg_kind_t kind;
    float alpha, beta;
} eltwise;

static dnnl_status_t describe_forward(const thaw_operation *of, dnnl_prop_kind_t kind,
                                      dnnl_primitive_desc_t *descriptor)
{
    const eltwise *e = (const eltwise *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_eltwise_forward_primitive_desc_create(descriptor, of->engine, kind, e->kind, of->source,
                                                           of->source, e->alpha, e->beta, of->attributes);
#else
    dnnl_eltwise_desc_t described;
    return thaw_operation_describe(of,
                                   dnnl_eltwise_forward_desc_init(&described, kind, e->kind, of->source, e->alpha,
                                                                  e->beta),
                                   &described, NULL, descriptor);
#endif
}

static dnnl_status_t describe_backward(const thaw_operation *of, dnnl_primitive_desc_t hint,
                                       dnnl_primitive_desc_t *descriptor)
{
    const eltwise *e = (const eltwise *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_eltwise_backward_primitive_desc_create(descriptor, of->engine, e->kind, of->source, of->source,
                                                            of->source, e->alpha, e->beta, hint, of->attributes);
#else
    dnnl_eltwise_desc_t described;
    return thaw_operation_describe(of,
                                   dnnl_eltwise_backward_desc_init(&described, e->kind, of->source, of->source,
                                                                   e->alpha, e->beta),
                                   &described, hint, descriptor);
#endif
}

/* All have one layout. Close it afterwards, even on failure. */
static thaw_status open(eltwise *e, thaw_context *context, const thaw_eltwise *problem)
{
    const thaw_algorithm algorithm = algorithm_of(problem);
    const bool from_output = thaw_eltwise_backward_from_output(problem);
    e->kind = from_output ? algorithm.from_output : algorithm.from_input;
    e->alpha = algorithm.alpha;
    e->beta = algorithm.beta;
    thaw_status status = thaw_operation_open(&e->of, context, "an element-wise function", describe_forward);
    if (status == THAW_OK)
        status = thaw_attributes_create(context, NULL, NULL, &e->of.attributes);
    return status == THAW_OK ? thaw_layout_create_of(context, problem->precision, 1,
                                                     &(int64_t){ (int64_t)problem->count }, dnnl_x, &e->of.source)
                             : status;
}

thaw_status thaw_eltwise_forward(thaw_context *context, const thaw_eltwise *problem, bool training,
                                 thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION };
    eltwise e;
    *kernel = NULL;
    thaw_status status = open(&e, context, problem);
    if (status == THAW_OK)
        status = thaw_operation_forward(&e.of, training, arguments, THAW_COUNT(arguments), kernel);
    thaw_operation_close(&e.of);
    return status;
}

thaw_status thaw_eltwise_backward(thaw_context *context, const thaw_eltwise *problem, thaw_kernel **kernel)
{
    const thaw_argument arguments[] = {
        thaw_eltwise_backward_from_output(problem) ? THAW_ARGUMENT_DESTINATION : THAW_ARGUMENT_SOURCE,
        THAW_ARGUMENT_DESTINATION_GRADIENT,
        THAW_ARGUMENT_SOURCE_GRADIENT,
    };
    eltwise e;
    *kernel = NULL;
    thaw_status status = open(&e, context, problem);
    if (status == THAW_OK)
        status = thaw_operation_backward(&e.of, describe_backward, arguments, THAW_COUNT(arguments), kernel);
    thaw_operation_close(&e.of);
    return status;
}
