/* Ids that an embedding has no row for: told before anything runs, with their place in the data. */
#include <inttypes.h>

#include "train/batch.h"

static thaw_status check_input(const thaw_model *model, const thaw_graph_input *input, const float *samples,
                               const size_t *indices, size_t count)
{
    const size_t stride = thaw_shape_count(&model->nodes[0].output);
    int64_t rows = 0;
    const thaw_graph_node *table = thaw_model_table_of(model, input->node, &rows);
    if (!table)
        return THAW_OK;
    for (size_t i = 0; i < count; i++) {
        const float *ids = samples + i * stride + input->first;
        for (size_t k = 0; k < input->count; k++)
            if (!(ids[k] >= 0 && ids[k] < (float)rows))
                return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                                 "value %zu of %s of sample %zu of the %s is %.9g, must be from 0 to %" PRId64
                                 ": %s has %" PRId64 " rows",
                                 k, model->nodes[input->node].name, indices ? indices[i] : i,
                                 indices ? "data set" : "batch", (double)ids[k], rows - 1, table->name, rows);
    }
    return THAW_OK;
}

thaw_status thaw_check_ids(const thaw_model *model, const float *samples, const size_t *indices, size_t count)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < model->input_count && status == THAW_OK; i++)
        if (model->inputs[i].dtype == THAW_I32)
            status = check_input(model, &model->inputs[i], samples, indices, count);
    return status;
}
