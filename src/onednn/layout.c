#include "onednn/engine.h"

thaw_status thaw_layout_create(thaw_context *context, int rank, const int64_t *dims, dnnl_format_tag_t tag,
                               thaw_layout *layout)
{
    return thaw_layout_create_of(context, THAW_F32, rank, dims, tag, layout);
}

thaw_status thaw_layout_create_of(thaw_context *context, thaw_dtype dtype, int rank, const int64_t *dims,
                                  dnnl_format_tag_t tag, thaw_layout *layout)
{
    const dnnl_data_type_t type = dtype == THAW_BF16 ? dnnl_bf16 : dnnl_f32;
    dnnl_dims_t sizes = { 0 };
    for (int i = 0; i < rank; i++)
        sizes[i] = dims[i];
    *layout = NULL;
#if DNNL_VERSION_MAJOR >= 3
    const dnnl_status_t status = thaw_dnnl_memory_desc_create_with_tag(layout, rank, sizes, type, tag);
#else
    thaw_layout made = thaw_allocate(context, sizeof *made);
    if (!made)
        return THAW_OUT_OF_MEMORY;
    const dnnl_status_t status = dnnl_memory_desc_init_by_tag(made, rank, sizes, type, tag);
    if (status == dnnl_success)
        *layout = made;
    else
        thaw_release(context, made);
#endif
    return status == dnnl_success ? THAW_OK : thaw_dnn_fail(context, status, "describing a layout");
}

void thaw_layout_release(thaw_context *context, thaw_layout layout)
{
#if DNNL_VERSION_MAJOR >= 3
    (void)context;
    if (layout)
        dnnl_memory_desc_destroy(layout);
#else
    thaw_release(context, layout);
#endif
}
