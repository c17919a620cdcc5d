#include "models/timm_mobile.h"

#include <stdio.h>

enum { STEM = 32, LAST = 1280 };

static void write_path(char *path, size_t size, size_t stage, int block, int number)
{
    (void)number;
    snprintf(path, size, "blocks.%zu.%d.", stage, block);
}

/* timm scales depthwise weights by the fan-out of one channel, which equals the fan-in. */
static const thaw_inverted_style style = {
    .expanded = { { "conv_pw", "bn1" }, { "conv_dw", "bn2" }, { "conv_pwl", "bn3" } },
    .plain = { { "conv_dw", "bn1" }, { "conv_pw", "bn2" } },
    .filter = THAW_INITIAL_HE_NORMAL,
    .write_path = write_path,
};

thaw_status thaw_append_timm_mobile(thaw_model *model, const thaw_inverted_stage *stages, size_t count, thaw_node *node)
{
    const thaw_unit stem = { "conv_stem", "bn1", STEM, 3, 2, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    const thaw_unit last = { "conv_head", "bn2", LAST, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, thaw_relu6 };
    thaw_status status = thaw_append_units(model, "", &stem, 1, node);
    if (status == THAW_OK)
        status = thaw_append_inverted_residuals(model, &style, stages, count, node);
    if (status == THAW_OK)
        status = thaw_append_units(model, "", &last, 1, node);
    static const thaw_simple_options pool_options = { .name = "avgpool" };
    return status == THAW_OK ? thaw_global_average_pool2d(model, *node, &pool_options, node) : status;
}
