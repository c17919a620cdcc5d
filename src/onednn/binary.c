#include "onednn/binary.h"

#include "onednn/engine.h"

static dnnl_status_t describe(dnnl_engine_t engine, thaw_binary_kind kind, thaw_layout_view data,
                              dnnl_primitive_attr_t attributes, dnnl_primitive_desc_t *descriptor)
{
    static const dnnl_alg_kind_t kinds[] = {
        [THAW_BINARY_SUM] = dnnl_binary_add,
        [THAW_BINARY_DIFFERENCE] = dnnl_binary_sub,
        [THAW_BINARY_PRODUCT] = dnnl_binary_mul,
    };
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_binary_primitive_desc_create(descriptor, engine, kinds[kind], data, data, data, attributes);
#else
    dnnl_binary_desc_t operation;
    const dnnl_status_t status = dnnl_binary_desc_init(&operation, kinds[kind], data, data, data);
    return status == dnnl_success ? thaw_dnnl_primitive_desc_create(descriptor, &operation, attributes, engine, NULL)
                                  : status;
#endif
}

thaw_status thaw_binary_create(thaw_context *context, thaw_binary_kind kind, thaw_dtype precision, size_t count,
                               thaw_kernel **kernel)
{
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_SOURCE_1,
                                               THAW_ARGUMENT_DESTINATION };
    *kernel = NULL;
    thaw_engine *engine;
    thaw_layout data = NULL;
    dnnl_primitive_attr_t attributes = NULL;
    dnnl_primitive_desc_t descriptor;
    thaw_status status = thaw_engine_of(context, &engine);
    if (status == THAW_OK)
        status = thaw_attributes_create(context, NULL, NULL, &attributes);
    if (status == THAW_OK)
        status = thaw_layout_create_of(context, precision, 1, &(int64_t){ (int64_t)count }, dnnl_x, &data);
    if (status == THAW_OK) {
        const dnnl_status_t described = describe(engine->engine, kind, data, attributes, &descriptor);
        if (described != dnnl_success)
            status = thaw_dnn_fail(context, described, "sums and products");
    }
    thaw_layout_release(context, data);
    dnnl_primitive_attr_destroy(attributes);
    return status == THAW_OK ? thaw_kernel_create(context, descriptor, arguments, THAW_COUNT(arguments), kernel)
                             : status;
}
