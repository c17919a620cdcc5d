#include "onednn/channels.h"

#include "onednn/engine.h"

thaw_status thaw_channels_move(thaw_context *context, const thaw_images *images, bool to_first, thaw_kernel **kernel)
{
    const int64_t dims[] = { images->batch, images->channels, images->height, images->width };
    *kernel = NULL;
    thaw_layout last = NULL, first = NULL;
    thaw_status status = thaw_layout_create_of(context, images->precision, 4, dims, dnnl_nhwc, &last);
    if (status == THAW_OK)
        status = thaw_layout_create_of(context, images->precision, 4, dims, dnnl_nchw, &first);
    if (status == THAW_OK)
        status = to_first ? thaw_reorder_create(context, last, first, kernel)
                          : thaw_reorder_create(context, first, last, kernel);
    thaw_layout_release(context, last);
    thaw_layout_release(context, first);
    return status;
}
