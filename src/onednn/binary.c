#include "onednn/binary.h"

#include "onednn/operation.h"

typedef struct binary {
    thaw_operation of;
    dnnl_alg_kind_t kind;
} binary;

static dnnl_status_t describe(const thaw_operation *of, dnnl_prop_kind_t kind, dnnl_primitive_desc_t *descriptor)
{
    const binary *b = (const binary *)of;
    (void)kind;
#if DNNL_VERSION_MAJOR >= 3
    return thaw_dnnl_binary_primitive_desc_create(descriptor, of->engine, b->kind, of->source, of->source, of->source,
                                                  of->attributes);
#else
    dnnl_binary_desc_t described;
    const dnnl_status_t status = dnnl_binary_desc_init(&described, b->kind, of->source, of->source, of->source);
    return thaw_operation_describe(of, status, &described, NULL, descriptor);
#endif
}

thaw_status thaw_binary_create(thaw_context *context, thaw_binary_kind kind, thaw_dtype precision, size_t count,
                               thaw_kernel **kernel)
{
    static const dnnl_alg_kind_t kinds[] = {
        [THAW_BINARY_SUM] = dnnl_binary_add,
        [THAW_BINARY_DIFFERENCE] = dnnl_binary_sub,
        [THAW_BINARY_PRODUCT] = dnnl_binary_mul,
    };
    static const thaw_argument arguments[] = { THAW_ARGUMENT_SOURCE, THAW_ARGUMENT_SOURCE_1,
                                               THAW_ARGUMENT_DESTINATION };
    binary b = { .kind = kinds[kind] };
    *kernel = NULL;
    thaw_status status = thaw_operation_open(&b.of, context, "sums and products", describe);
    if (status == THAW_OK)
        status = thaw_attributes_create(context, NULL, NULL, &b.of.attributes);
    if (status == THAW_OK)
        status = thaw_layout_create_of(context, precision, 1, &(int64_t){ (int64_t)count }, dnnl_x, &b.of.source);
    if (status == THAW_OK)
        status = thaw_operation_forward(&b.of, true, arguments, THAW_COUNT(arguments), kernel);
    thaw_operation_close(&b.of);
    return status;
}
