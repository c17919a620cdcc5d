#include "models/inverted_residual.h"

static thaw_unit pointwise(const char *const names[2], int64_t filters, bool activated)
{
    return (thaw_unit){
        names[0], names[1], filters, 1, 1, false, false, THAW_INITIAL_HE_NORMAL_OUT, activated ? thaw_relu6 : NULL
    };
}

static thaw_status append_block(thaw_model *model, const char *path, const thaw_inverted_style *style,
                                const thaw_inverted_stage *s, int64_t stride, thaw_node *node)
{
    const int64_t channels = thaw_channels_of(model, *node), width = channels * s->expansion;
    const bool expands = s->expansion > 1;
    const char *const(*names)[2] = expands ? style->expanded + 1 : style->plain;
    const thaw_unit units[] = {
        pointwise(style->expanded[0], width, true),
        { names[0][0], names[0][1], width, s->kernel, stride, true, false, style->filter, thaw_relu6 },
        pointwise(names[1], s->filters, false),
    };
    const thaw_node input = *node;
    thaw_status status =
        expands ? thaw_append_units(model, path, units, 3, node) : thaw_append_units(model, path, units + 1, 2, node);
    if (status == THAW_OK && stride == 1 && channels == s->filters)
        status = thaw_add(model, *node, input, NULL, node);
    return status;
}

thaw_status thaw_append_inverted_residuals(thaw_model *model, const thaw_inverted_style *style,
                                           const thaw_inverted_stage *stages, size_t count, thaw_node *node)
{
    thaw_status status = THAW_OK;
    int number = 0;
    for (size_t i = 0; i < count; i++)
        for (int block = 0; block < stages[i].blocks && status == THAW_OK; block++) {
            char path[32];
            style->write_path(path, sizeof path, i, block, number++);
            status = append_block(model, path, style, &stages[i], block == 0 ? stages[i].stride : 1, node);
        }
    return status;
}
