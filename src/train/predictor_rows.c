/* Rows of tables and arrays as samples of a predictor's network. */
#include <string.h>

#include "core/allocation.h"
#include "data/rows.h"
#include "data/table_noted.h"
#include "models/option_values.h"
#include "train/predictor.h"

static thaw_status find_width(thaw_predictor *made, thaw_shape *input)
{
    const thaw_words none = { .context = made->context };
    thaw_table_form form = { .context = made->context, .labels = none, .classes = none, .words = none };
    const thaw_status status = thaw_table_read_noted(&made->notes, &form);
    *input = (thaw_shape){ .rank = 1, .dims = { (int64_t)form.width } };
    thaw_table_form_release(&form);
    return status;
}

thaw_status thaw_predictor_find_input(thaw_predictor *made, const thaw_predictor_opening *from, thaw_shape *input,
                                      bool *known)
{
    const char *text = thaw_notes_find(&made->notes, "thaw.input");
    const bool table = thaw_table_is_noted(&made->notes);
    *known = table || text;
    if (table)
        return find_width(made, input);
    if (!text || thaw_read_input(text, strlen(text), input))
        return THAW_OK;
    return thaw_fail(made->context, THAW_BAD_FORMAT,
                     "%s: thaw.input is \"%.40s\", must be a shape such as 4 or 28x28x1", from->path, text);
}

/* ---------------------------------------------------------------- reading */

/* Arrays hold images as the network gets them, bytes divided by 255. */
static thaw_status check_levels(const thaw_predictor *predictor, const char *description)
{
    const thaw_folder_options *images = &predictor->images;
    for (int c = 0; c < images->channels && images->size; c++)
        if (images->mean[c] != 0 || images->std[c] != 1)
            return thaw_fail(predictor->context, THAW_UNSUPPORTED,
                             "%s: the weights were trained on images with mean=%g and std=%g, so that images must be "
                             "files, not an array",
                             description, (double)images->mean[c], (double)images->std[c]);
    return THAW_OK;
}

static thaw_status check_shape(const thaw_predictor *predictor, const char *description, const thaw_shape *sample)
{
    char one[80], other[80];
    const thaw_shape *input = thaw_model_node_shape(predictor->model, 0);
    if (thaw_shape_equal(sample, input))
        return THAW_OK;
    return thaw_fail(predictor->context, THAW_SHAPE_MISMATCH, "%s: its rows have shape %s, the network takes %s",
                     description, thaw_shape_format(sample, one, sizeof one),
                     thaw_shape_format(input, other, sizeof other));
}

/* Takes over what was read, or makes floats of bytes. */
static thaw_status take(thaw_samples *from, thaw_tensor *samples)
{
    const size_t count = thaw_shape_count(&from->inputs.shape);
    *samples = (thaw_tensor){ .dtype = THAW_F32, .shape = { .rank = from->sample_shape.rank + 1 } };
    samples->shape.dims[0] = from->inputs.shape.dims[0];
    memcpy(&samples->shape.dims[1], from->sample_shape.dims,
           (size_t)from->sample_shape.rank * sizeof from->sample_shape.dims[0]);
    if (from->inputs.dtype == THAW_F32) {
        samples->data = from->inputs.data;
        from->inputs.data = NULL;
        return THAW_OK;
    }
    float *values = thaw_allocate_array(from->context, count, sizeof *values);
    for (size_t i = 0; i < count && values; i++)
        values[i] = (float)((const uint8_t *)from->inputs.data)[i] / 255.0F;
    samples->data = values;
    return values ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_predictor_read_rows(thaw_predictor *predictor, const char *description, thaw_rows *rows)
{
    thaw_samples read = { .context = predictor->context };
    *rows = (thaw_rows){ .samples = { .dtype = THAW_F32 } };
    thaw_status status = thaw_rows_read(&predictor->notes, description, &read, &rows->lines);
    if (status == THAW_OK && !rows->lines && !thaw_table_is_noted(&predictor->notes))
        status = check_levels(predictor, description);
    if (status == THAW_OK)
        status = check_shape(predictor, description, &read.sample_shape);
    if (status == THAW_OK)
        status = take(&read, &rows->samples);
    thaw_samples_release(&read);
    if (status != THAW_OK)
        thaw_rows_destroy(predictor->context, rows);
    return status;
}

void thaw_rows_destroy(thaw_context *context, thaw_rows *rows)
{
    thaw_release(context, rows->samples.data);
    thaw_release(context, rows->lines);
    *rows = (thaw_rows){ .samples = { .dtype = THAW_F32 } };
}
