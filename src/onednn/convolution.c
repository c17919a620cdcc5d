#include "onednn/convolution.h"

#include <string.h>

#include "onednn/engine.h"
#include "onednn/placement.h"

/* What the descriptors of a problem are made from. */
typedef struct setting {
    thaw_context *context;
    dnnl_engine_t engine;
    dnnl_primitive_attr_t attributes;
    thaw_layout source, bias, destination; /* bias NULL: none */
    thaw_layout weights, weights_gradient; /* without a layout yet */
    thaw_layout plain_weights;             /* OIHW */
    dnnl_dims_t stride, dilation, before, after;
    bool direct;
} setting;

static void close_setting(setting *s)
{
    thaw_layout_release(s->context, s->source);
    thaw_layout_release(s->context, s->weights);
    thaw_layout_release(s->context, s->weights_gradient);
    thaw_layout_release(s->context, s->plain_weights);
    thaw_layout_release(s->context, s->bias);
    thaw_layout_release(s->context, s->destination);
    dnnl_primitive_attr_destroy(s->attributes);
}

static thaw_status describe_weights(setting *s, const thaw_convolution *p)
{
    const int64_t dims[] = { p->groups, p->output_channels / p->groups, p->input_channels / p->groups, p->kernel[0],
                             p->kernel[1] };
    const bool grouped = p->groups > 1;
    const int64_t *from = grouped ? dims : dims + 1;
    const int rank = grouped ? 5 : 4;
    thaw_status status = thaw_layout_create_of(s->context, p->precision, rank, from, dnnl_format_tag_any, &s->weights);
    if (status == THAW_OK)
        status = thaw_layout_create(s->context, rank, from, dnnl_format_tag_any, &s->weights_gradient);
    return status == THAW_OK
               ? thaw_layout_create(s->context, rank, from, grouped ? dnnl_goihw : dnnl_oihw, &s->plain_weights)
               : status;
}

static thaw_status describe_layouts(setting *s, const thaw_convolution *p)
{
    const int64_t source[] = { p->batch, p->input_channels, p->input[0], p->input[1] };
    const int64_t destination[] = { p->batch, p->output_channels, p->output[0], p->output[1] };
    thaw_status status = thaw_layout_create_of(s->context, p->precision, 4, source, dnnl_nhwc, &s->source);
    if (status == THAW_OK)
        status = thaw_layout_create_of(s->context, p->precision, 4, destination, dnnl_nhwc, &s->destination);
    if (status == THAW_OK && p->bias)
        status = thaw_layout_create(s->context, 1, &p->output_channels, dnnl_x, &s->bias);
    return status == THAW_OK ? describe_weights(s, p) : status;
}

/* Close the setting afterwards, even on failure. */
static thaw_status open_setting(setting *s, thaw_context *context, const thaw_convolution *problem,
                                const thaw_after *after)
{
    *s = (setting){ .context = context };
    for (int i = 0; i < 2; i++) {
        s->stride[i] = problem->stride[i];
        s->dilation[i] = problem->dilation[i] - 1;
        s->before[i] = problem->padding_before[i];
        s->after[i] = problem->padding_after[i];
    }
    s->direct = problem->direct;
    thaw_engine *engine;
    thaw_status status = thaw_engine_of(context, &engine);
    if (status != THAW_OK)
        return status;
    s->engine = engine->engine;
    status = describe_layouts(s, problem);
    return status == THAW_OK ? thaw_attributes_create(context, after, s->destination, &s->attributes) : status;
}

static bool is_direct(const_dnnl_primitive_desc_t descriptor)
{
    const char *name = "";
    dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, (void *)&name);
    return strncmp(name, "jit:avx512_core", 15) == 0;
}

/* Replaces the descriptor by the one of the direct implementation, if there is one. `operation` is for oneDNN 2. */
static dnnl_status_t prefer_direct(const setting *s, const void *operation, dnnl_primitive_desc_t *descriptor)
{
    dnnl_primitive_desc_t other = NULL;
#if DNNL_VERSION_MAJOR >= 3
    (void)s;
    (void)operation;
    dnnl_status_t status = thaw_dnnl_primitive_desc_clone(&other, *descriptor);
    while (status == dnnl_success && !is_direct(other))
        status = thaw_dnnl_primitive_desc_next_impl(other);
#else
    dnnl_primitive_desc_iterator_t each = NULL;
    dnnl_status_t status = thaw_dnnl_primitive_desc_iterator_create(&each, operation, s->attributes, s->engine, NULL);
    if (status == dnnl_success)
        status = thaw_dnnl_primitive_desc_iterator_take(&other, each);
    while (status == dnnl_success && !is_direct(other)) {
        dnnl_primitive_desc_destroy(other);
        other = NULL;
        status = thaw_dnnl_primitive_desc_iterator_next(each);
        if (status == dnnl_success)
            status = thaw_dnnl_primitive_desc_iterator_take(&other, each);
    }
    dnnl_primitive_desc_iterator_destroy(each);
#endif
    dnnl_primitive_desc_destroy(status == dnnl_success ? *descriptor : other);
    if (status == dnnl_success)
        *descriptor = other;
    return status == dnnl_out_of_memory ? status : dnnl_success;
}

static thaw_status describe_forward(const setting *s, bool training, dnnl_primitive_desc_t *descriptor)
{
    const dnnl_prop_kind_t kind = training ? dnnl_forward_training : dnnl_forward_inference;
#if DNNL_VERSION_MAJOR >= 3
    const void *operation = NULL;
    dnnl_status_t status =
        thaw_dnnl_convolution_forward_primitive_desc_create(descriptor, s->engine, kind, dnnl_convolution_direct,
                                                            s->source, s->weights, s->bias, s->destination, s->stride,
                                                            s->dilation, s->before, s->after, s->attributes);
#else
    dnnl_convolution_desc_t described;
    const void *operation = &described;
    dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(&described, kind, dnnl_convolution_direct,
                                                                      s->source, s->weights, s->bias, s->destination,
                                                                      s->stride, s->dilation, s->before, s->after);
    if (status == dnnl_success)
        status = thaw_dnnl_primitive_desc_create(descriptor, operation, s->attributes, s->engine, NULL);
#endif
    if (status == dnnl_success && s->direct) {
        status = prefer_direct(s, operation, descriptor);
        if (status != dnnl_success)
            dnnl_primitive_desc_destroy(*descriptor);
    }
    return status == dnnl_success ? THAW_OK : thaw_dnn_fail(s->context, status, "a convolution");
}

static dnnl_status_t describe_backward_data(const setting *s, dnnl_primitive_desc_t hint,
                                            dnnl_primitive_desc_t *descriptor)
{
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_convolution_backward_data_primitive_desc_create(descriptor, s->engine, dnnl_convolution_direct,
                                                                     s->source, s->weights, s->destination, s->stride,
                                                                     s->dilation, s->before, s->after, hint,
                                                                     s->attributes);
#else
    dnnl_convolution_desc_t operation;
    const dnnl_status_t status =
        dnnl_dilated_convolution_backward_data_desc_init(&operation, dnnl_convolution_direct, s->source, s->weights,
                                                         s->destination, s->stride, s->dilation, s->before, s->after);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, hint)
               : status;
#endif
}

static dnnl_status_t describe_backward_weights(const setting *s, dnnl_primitive_desc_t hint,
                                               dnnl_primitive_desc_t *descriptor)
{
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_convolution_backward_weights_primitive_desc_create(descriptor, s->engine, dnnl_convolution_direct,
                                                                        s->source, s->weights_gradient, s->bias,
                                                                        s->destination, s->stride, s->dilation,
                                                                        s->before, s->after, hint, s->attributes);
#else
    dnnl_convolution_desc_t operation;
    const dnnl_status_t status =
        dnnl_dilated_convolution_backward_weights_desc_init(&operation, dnnl_convolution_direct, s->source,
                                                            s->weights_gradient, s->bias, s->destination, s->stride,
                                                            s->dilation, s->before, s->after);
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, &operation, s->attributes, s->engine, hint)
               : status;
#endif
}

/* Makes a backward descriptor by one of the two functions above. Its hint is the forward descriptor, which oneDNN
   requires. */
static thaw_status describe_backward(const setting *s,
                                     dnnl_status_t (*describe)(const setting *, dnnl_primitive_desc_t,
                                                               dnnl_primitive_desc_t *),
                                     dnnl_primitive_desc_t *descriptor)
{
    dnnl_primitive_desc_t hint;
    const thaw_status described = describe_forward(s, true, &hint);
    if (described != THAW_OK)
        return described;
    const dnnl_status_t status = describe(s, hint, descriptor);
    dnnl_primitive_desc_destroy(hint);
    return status == dnnl_success ? THAW_OK : thaw_dnn_fail(s->context, status, "a convolution's gradient");
}

/* Both kernels, or none. */
static thaw_status finish_create(thaw_context *context, thaw_status status, thaw_kernel **kernel,
                                 thaw_kernel **relayout)
{
    if (status == THAW_OK)
        return THAW_OK;
    thaw_kernel_release(context, *kernel);
    thaw_kernel_release(context, *relayout);
    *kernel = *relayout = NULL;
    return status;
}

static thaw_status create_pack(const setting *s, const thaw_convolution *problem, const thaw_kernel *kernel,
                               thaw_kernel **pack)
{
    const thaw_layout_view weights = thaw_kernel_layout(kernel, THAW_ARGUMENT_WEIGHTS);
    if (problem->packs_once && !dnnl_memory_desc_equal(s->plain_weights, weights)) {
        const thaw_status status = thaw_placement_pack(s->context, kernel, (size_t)problem->output_channels, pack);
        if (status != THAW_OK || *pack)
            return status;
    }
    return thaw_reorder_create(s->context, s->plain_weights, weights, pack);
}

thaw_status thaw_convolution_forward(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel,
                                     thaw_kernel **pack)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_WEIGHTS, THAW_ARGUMENT_BIAS,
                                               THAW_ARGUMENT_DESTINATION, THAW_ARGUMENT_RESIDUAL };
    /* If another post-op is first, oneDNN would describe it as the residual. */
    const size_t argument_count = THAW_COUNT(arguments) - (problem->after.residual != THAW_RESIDUAL_BESIDE);
    *kernel = *pack = NULL;
    setting s;
    dnnl_primitive_desc_t descriptor;
    thaw_status status = open_setting(&s, context, problem, &problem->after);
    if (status == THAW_OK)
        status = describe_forward(&s, problem->training, &descriptor);
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, argument_count, kernel);
    if (status == THAW_OK)
        status = create_pack(&s, problem, *kernel, pack);
    close_setting(&s);
    return finish_create(context, status, kernel, pack);
}

bool thaw_convolution_misreads_residual(const thaw_kernel *forward)
{
    return strstr(thaw_kernel_name(forward), "gemm") != NULL;
}

thaw_status thaw_convolution_backward_data(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel,
                                           thaw_kernel **pack)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_DESTINATION_GRADIENT, THAW_ARGUMENT_WEIGHTS,
                                               THAW_ARGUMENT_SOURCE_GRADIENT };
    *kernel = *pack = NULL;
    setting s;
    dnnl_primitive_desc_t descriptor;
    thaw_status status = open_setting(&s, context, problem, NULL);
    if (status == THAW_OK)
        status = describe_backward(&s, describe_backward_data, &descriptor);
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel);
    if (status == THAW_OK)
        status = create_pack(&s, problem, *kernel, pack);
    close_setting(&s);
    return finish_create(context, status, kernel, pack);
}

thaw_status thaw_convolution_backward_weights(thaw_context *context, const thaw_convolution *problem,
                                              thaw_kernel **kernel, thaw_kernel **unpack)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION_GRADIENT,
                                               THAW_ARGUMENT_WEIGHTS_GRADIENT };
    *kernel = *unpack = NULL;
    setting s;
    dnnl_primitive_desc_t descriptor;
    thaw_convolution without_bias = *problem;
    without_bias.bias = false;
    thaw_status status = open_setting(&s, context, &without_bias, NULL);
    if (status == THAW_OK)
        status = describe_backward(&s, describe_backward_weights, &descriptor);
    if (status == THAW_OK)
        status = thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel);
    if (status == THAW_OK)
        status = thaw_reorder_create(context, thaw_kernel_layout(*kernel, THAW_ARGUMENT_WEIGHTS_GRADIENT),
                                     s.plain_weights, unpack);
    close_setting(&s);
    return finish_create(context, status, kernel, unpack);
}
