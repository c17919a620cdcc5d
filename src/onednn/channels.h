/* Moves images between channels last (NHWC: ours) and channels first (NCHW: PyTorch's). */
#ifndef THAW_ONEDNN_CHANNELS_H
#define THAW_ONEDNN_CHANNELS_H

#include "onednn/kernel.h"

typedef struct thaw_images {
    int64_t batch, height, width, channels;
    thaw_dtype precision;
} thaw_images;

/* SOURCE (NHWC) -> DESTINATION (NCHW), or the reverse; NULL if the two are the same. */
thaw_status thaw_channels_move(thaw_context *context, const thaw_images *images, bool to_first, thaw_kernel **kernel);

#endif
