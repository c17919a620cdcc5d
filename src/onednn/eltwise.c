#include "onednn/eltwise.h"

#include "onednn/engine.h"

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

typedef struct setting {
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
    thaw_layout data;
    dnnl_alg_kind_t kind;
    float alpha, beta;
} setting;

static void close_setting(thaw_context *context, setting *s)
{
    thaw_layout_release(context, s->data);
    dnnl_primitive_attr_destroy(s->attributes);
}

/* Close the setting afterwards, even on failure. */
static thaw_status open_setting(setting *s, thaw_context *context, const thaw_eltwise *problem)
{
    const thaw_algorithm algorithm = algorithm_of(problem);
    const bool from_output = thaw_eltwise_backward_from_output(problem);
    *s = (setting){ .kind = from_output ? algorithm.from_output : algorithm.from_input,
                    .alpha = algorithm.alpha,
                    .beta = algorithm.beta };
    thaw_engine *engine;
    thaw_status status = thaw_engine_of(context, &engine);
    if (status != THAW_OK)
        return status;
    s->engine = engine->engine;
    status = thaw_attributes_create(context, NULL, NULL, &s->attributes);
    return status == THAW_OK ? thaw_layout_create_of(context, problem->precision, 1,
                                                     &(int64_t){ (int64_t)problem->count }, dnnl_x, &s->data)
                             : status;
}

static dnnl_status_t describe_forward(const setting *s, bool training, dnnl_primitive_desc_t *descriptor)
{
    const dnnl_prop_kind_t kind = training ? dnnl_forward_training : dnnl_forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_eltwise_forward_primitive_desc_create(descriptor, s->engine, kind, s->kind, s->data, s->data,
                                                           s->alpha, s->beta, s->attributes);
#else
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status = dnnl_eltwise_forward_desc_init(&operation, kind, s->kind, s->data, s->alpha, s->beta);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, NULL)
               : status;
#endif
}

static dnnl_status_t describe_backward(const setting *s, dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *descriptor)
{
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_eltwise_backward_primitive_desc_create(descriptor, s->engine, s->kind, s->data, s->data, s->data,
                                                            s->alpha, s->beta, hint, s->attributes);
#else
    dnnl_eltwise_desc_t operation;
    const dnnl_status_t status =
        dnnl_eltwise_backward_desc_init(&operation, s->kind, s->data, s->data, s->alpha, s->beta);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, hint)
               : status;
#endif
}

thaw_status thaw_eltwise_forward(thaw_context *context, const thaw_eltwise *problem, bool training,
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
            status = thaw_dnn_fail(context, described, "an element-wise function");
    }
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel);
    close_setting(context, &s);
    return status;
}

thaw_status thaw_eltwise_backward(thaw_context *context, const thaw_eltwise *problem, thaw_kernel **kernel)
{
    const thaw_argument arguments[] = {
        thaw_eltwise_backward_from_output(problem) ? THAW_ARGUMENT_DESTINATION : THAW_ARGUMENT_SOURCE,
        THAW_ARGUMENT_DESTINATION_GRADIENT,
        THAW_ARGUMENT_SOURCE_GRADIENT,
    };
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
            status = thaw_dnn_fail(context, described, "an element-wise function's gradient");
    }
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel);
    close_setting(context, &s);
    return status;
}
