#include "onednn/convolution.h"

#include <string.h>

#include "onednn/operation.h"
#include "onednn/placement.h"

typedef struct convolution {
    thaw_operation of;
    thaw_layout bias;                      /* NULL: none */
    thaw_layout weights, weights_gradient; /* without a layout yet */
    thaw_layout plain_weights;             /* OIHW */
    dnnl_dims_t stride, dilation, before, after;
    bool direct;
} convolution;

static void close(convolution *s)
{
    thaw_layout_release(s->of.context, s->weights);
    thaw_layout_release(s->of.context, s->weights_gradient);
    thaw_layout_release(s->of.context, s->plain_weights);
    thaw_layout_release(s->of.context, s->bias);
    thaw_operation_close(&s->of);
}

static thaw_status describe_weights(convolution *s, const thaw_convolution *p)
{
    const int64_t dims[] = { p->groups, p->output_channels / p->groups, p->input_channels / p->groups, p->kernel[0],
                             p->kernel[1] };
    const bool grouped = p->groups > 1;
    const int64_t *from = grouped ? dims : dims + 1;
    const int rank = grouped ? 5 : 4;
    thaw_status status =
        thaw_layout_create_of(s->of.context, p->precision, rank, from, dnnl_format_tag_any, &s->weights);
    if (status == THAW_OK)
        status = thaw_layout_create(s->of.context, rank, from, dnnl_format_tag_any, &s->weights_gradient);
    return status == THAW_OK
               ? thaw_layout_create(s->of.context, rank, from, grouped ? dnnl_goihw : dnnl_oihw, &s->plain_weights)
               : status;
}

static thaw_status describe_layouts(convolution *s, const thaw_convolution *p)
{
    const int64_t source[] = { p->batch, p->input_channels, p->input[0], p->input[1] };
    const int64_t destination[] = { p->batch, p->output_channels, p->output[0], p->output[1] };
    thaw_status status = thaw_layout_create_of(s->of.context, p->precision, 4, source, dnnl_nhwc, &s->of.source);
    if (status == THAW_OK)
        status = thaw_layout_create_of(s->of.context, p->precision, 4, destination, dnnl_nhwc, &s->of.destination);
    if (status == THAW_OK && p->bias)
        status = thaw_layout_create(s->of.context, 1, &p->output_channels, dnnl_x, &s->bias);
    return status == THAW_OK ? describe_weights(s, p) : status;
}

static bool is_direct(const_dnnl_primitive_desc_t descriptor)
{
    const char *name = "";
    dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, (void *)&name);
    return strncmp(name, "jit:avx512_core", 15) == 0;
}

/* Replaces the descriptor by the one of the direct implementation, if there is one. `operation` is for oneDNN 2. */
static dnnl_status_t prefer_direct(const thaw_operation *of, const void *operation, dnnl_primitive_desc_t *descriptor)
{
    dnnl_primitive_desc_t other = NULL;
#if DNNL_VERSION_MAJOR >= 3
    (void)of;
    (void)operation;
    dnnl_status_t status = thaw_dnnl_primitive_desc_clone(&other, *descriptor);
    while (status == dnnl_success && !is_direct(other))
        status = thaw_dnnl_primitive_desc_next_impl(other);
#else
    dnnl_primitive_desc_iterator_t each = NULL;
    dnnl_status_t status = thaw_dnnl_primitive_desc_iterator_create(&each, operation, of->attributes, of->engine, NULL);
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

static dnnl_status_t describe_forward(const thaw_operation *of, dnnl_prop_kind_t kind,
                                      dnnl_primitive_desc_t *descriptor)
{
    const convolution *s = (const convolution *)of;
#if DNNL_VERSION_MAJOR >= 3
    const void *operation = NULL;
    dnnl_status_t status =
        thaw_dnnl_convolution_forward_primitive_desc_create(descriptor, of->engine, kind, dnnl_convolution_direct,
                                                            of->source, s->weights, s->bias, of->destination, s->stride,
                                                            s->dilation, s->before, s->after, of->attributes);
#else
    dnnl_convolution_desc_t described;
    const void *operation = &described;
    dnnl_status_t status = dnnl_dilated_convolution_forward_desc_init(&described, kind, dnnl_convolution_direct,
                                                                      of->source, s->weights, s->bias, of->destination,
                                                                      s->stride, s->dilation, s->before, s->after);
    status = thaw_operation_describe(of, status, operation, NULL, descriptor);
#endif
    if (status == dnnl_success && s->direct) {
        status = prefer_direct(of, operation, descriptor);
        if (status != dnnl_success)
            dnnl_primitive_desc_destroy(*descriptor);
    }
    return status;
}

static dnnl_status_t describe_backward_data(const thaw_operation *of, dnnl_primitive_desc_t hint,
                                            dnnl_primitive_desc_t *descriptor)
{
    const convolution *s = (const convolution *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_convolution_backward_data_primitive_desc_create(descriptor, of->engine, dnnl_convolution_direct,
                                                                     of->source, s->weights, of->destination, s->stride,
                                                                     s->dilation, s->before, s->after, hint,
                                                                     of->attributes);
#else
    dnnl_convolution_desc_t described;
    const dnnl_status_t status =
        dnnl_dilated_convolution_backward_data_desc_init(&described, dnnl_convolution_direct, of->source, s->weights,
                                                         of->destination, s->stride, s->dilation, s->before, s->after);
    return thaw_operation_describe(of, status, &described, hint, descriptor);
#endif
}

static dnnl_status_t describe_backward_weights(const thaw_operation *of, dnnl_primitive_desc_t hint,
                                               dnnl_primitive_desc_t *descriptor)
{
    const convolution *s = (const convolution *)of;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_convolution_backward_weights_primitive_desc_create(descriptor, of->engine, dnnl_convolution_direct,
                                                                        of->source, s->weights_gradient, s->bias,
                                                                        of->destination, s->stride, s->dilation,
                                                                        s->before, s->after, hint, of->attributes);
#else
    dnnl_convolution_desc_t described;
    const dnnl_status_t status =
        dnnl_dilated_convolution_backward_weights_desc_init(&described, dnnl_convolution_direct, of->source,
                                                            s->weights_gradient, s->bias, of->destination, s->stride,
                                                            s->dilation, s->before, s->after);
    return thaw_operation_describe(of, status, &described, hint, descriptor);
#endif
}

/* Close it afterwards, even on failure. */
static thaw_status open(convolution *s, thaw_context *context, const thaw_convolution *problem, const thaw_after *after)
{
    *s = (convolution){ .direct = problem->direct };
    for (int i = 0; i < 2; i++) {
        s->stride[i] = problem->stride[i];
        s->dilation[i] = problem->dilation[i] - 1;
        s->before[i] = problem->padding_before[i];
        s->after[i] = problem->padding_after[i];
    }
    thaw_status status = thaw_operation_open(&s->of, context, "a convolution", describe_forward);
    if (status == THAW_OK)
        status = describe_layouts(s, problem);
    return status == THAW_OK ? thaw_attributes_create(context, after, s->of.destination, &s->of.attributes) : status;
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

static thaw_status create_pack(const convolution *s, const thaw_convolution *problem, const thaw_kernel *kernel,
                               thaw_kernel **pack)
{
    const thaw_layout_view weights = thaw_kernel_layout(kernel, THAW_ARGUMENT_WEIGHTS);
    if (problem->packs_once && !dnnl_memory_desc_equal(s->plain_weights, weights)) {
        const thaw_status status = thaw_placement_pack(s->of.context, kernel, (size_t)problem->output_channels, pack);
        if (status != THAW_OK || *pack)
            return status;
    }
    return thaw_reorder_create(s->of.context, s->plain_weights, weights, pack);
}

thaw_status thaw_convolution_forward(thaw_context *context, const thaw_convolution *problem, thaw_kernel **kernel,
                                     thaw_kernel **pack)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_WEIGHTS, THAW_ARGUMENT_BIAS,
                                               THAW_ARGUMENT_DESTINATION, THAW_ARGUMENT_RESIDUAL };
    /* If another post-op is first, oneDNN would describe it as the residual. */
    const size_t argument_count = THAW_COUNT(arguments) - (problem->after.residual != THAW_RESIDUAL_BESIDE);
    *kernel = *pack = NULL;
    convolution s;
    thaw_status status = open(&s, context, problem, &problem->after);
    if (status == THAW_OK)
        status = thaw_operation_forward(&s.of, problem->training, arguments, argument_count, kernel);
    if (status == THAW_OK)
        status = create_pack(&s, problem, *kernel, pack);
    close(&s);
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
    convolution s;
    thaw_status status = open(&s, context, problem, NULL);
    if (status == THAW_OK)
        status = thaw_operation_backward(&s.of, describe_backward_data, arguments, THAW_COUNT(arguments), kernel);
    if (status == THAW_OK)
        status = create_pack(&s, problem, *kernel, pack);
    close(&s);
    return finish_create(context, status, kernel, pack);
}

thaw_status thaw_convolution_backward_weights(thaw_context *context, const thaw_convolution *problem,
                                              thaw_kernel **kernel, thaw_kernel **unpack)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_DESTINATION_GRADIENT,
                                               THAW_ARGUMENT_WEIGHTS_GRADIENT };
    *kernel = *unpack = NULL;
    convolution s;
    thaw_convolution without_bias = *problem;
    without_bias.bias = false;
    thaw_status status = open(&s, context, &without_bias, NULL);
    if (status == THAW_OK)
        status = thaw_operation_backward(&s.of, describe_backward_weights, arguments, THAW_COUNT(arguments), kernel);
    if (status == THAW_OK)
        status = thaw_reorder_create(context, thaw_kernel_layout(*kernel, THAW_ARGUMENT_WEIGHTS_GRADIENT),
                                     s.plain_weights, unpack);
    close(&s);
    return finish_create(context, status, kernel, unpack);
}
