#include "onednn/operation.h"

#include <stdio.h>

thaw_status thaw_operation_open(thaw_operation *made, thaw_context *context, const char *name,
                                thaw_describe_forward *forward)
{
    thaw_engine *engine;
    *made = (thaw_operation){ .context = context, .name = name, .forward = forward };
    const thaw_status status = thaw_engine_of(context, &engine);
    if (status == THAW_OK)
        made->engine = engine->engine;
    return status;
}

void thaw_operation_close(thaw_operation *closed)
{
    thaw_layout_release(closed->context, closed->source);
    thaw_layout_release(closed->context, closed->destination);
    dnnl_primitive_attr_destroy(closed->attributes);
}

thaw_status thaw_operation_forward(const thaw_operation *of, bool training, const thaw_argument *arguments,
                                   size_t count, thaw_kernel **kernel)
{
    dnnl_primitive_desc_t descriptor;
    const dnnl_status_t status =
        of->forward(of, training ? dnnl_forward_training : dnnl_forward_inference, &descriptor);
    return status == dnnl_success ? thaw_kernel_create(of->context, descriptor, arguments, count, kernel)
                                  : thaw_dnn_fail(of->context, status, of->name);
}

thaw_status thaw_operation_backward(const thaw_operation *of, thaw_describe_backward *backward,
                                    const thaw_argument *arguments, size_t count, thaw_kernel **kernel)
{
    dnnl_primitive_desc_t hint, descriptor;
    dnnl_status_t status = of->forward(of, dnnl_forward_training, &hint);
    if (status == dnnl_success) {
        status = backward(of, hint, &descriptor);
        dnnl_primitive_desc_destroy(hint);
    }
    if (status == dnnl_success)
        return thaw_kernel_create(of->context, descriptor, arguments, count, kernel);
    char what[64];
    snprintf(what, sizeof what, "the gradient of %s", of->name);
    return thaw_dnn_fail(of->context, status, what);
}

#if DNNL_VERSION_MAJOR < 3
dnnl_status_t thaw_operation_describe(const thaw_operation *of, dnnl_status_t status, const void *described,
                                      dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *descriptor)
{
    return status == dnnl_success
               ? thaw_dnnl_primitive_desc_create(descriptor, described, of->attributes, of->engine, hint)
               : status;
}
#endif
