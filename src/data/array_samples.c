#include "data/array_samples.h"

#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

#include "core/allocation.h"
#include "data/limit.h"
#include "data/npy_values.h"

enum { MOST_CLASSES = 1 << 20 };

/* ---- targets ---- */

/* Whether all values are 0 or 1; the first that is not finite is an error. */
static thaw_status examine(const thaw_content *from, const float *values, size_t rows, size_t columns, bool *binary)
{
    *binary = true;
    for (size_t i = 0; i < rows * columns; i++) {
        if (!isfinite(values[i]))
            return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: a value of sample %zu is %g, must be finite",
                             from->name, i / columns, (double)fabsf(values[i]));
        *binary &= values[i] == 0 || values[i] == 1;
    }
    return THAW_OK;
}

static thaw_status count_classes(const thaw_content *from, const int32_t *labels, size_t rows, size_t *classes)
{
    size_t past = 0;
    for (size_t i = 0; i < rows; i++) {
        const size_t label = (size_t)labels[i];
        past = past > label ? past : label + 1;
        if (*classes && label >= *classes)
            return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: label %zu of sample %zu must be below %zu",
                             from->name, label, i, *classes);
        if (label >= MOST_CLASSES)
            return thaw_fail(from->context, THAW_BAD_FORMAT,
                             "%s: label %zu of sample %zu must be below %d; task=regression is for numbers", from->name,
                             label, i, MOST_CLASSES);
    }
    *classes = *classes ? *classes : past;
    return THAW_OK;
}

/* Decides what the floats are. */
static thaw_status judge(const thaw_content *from, const thaw_array_form *form, size_t rows, size_t columns,
                         thaw_samples *into)
{
    bool binary;
    const thaw_status status = examine(from, into->targets.data, rows, columns, &binary);
    if (status != THAW_OK)
        return status;
    into->task = form->has_task ? form->task : binary && columns > 1 ? THAW_TASK_LABELS : THAW_TASK_REGRESSION;
    if (into->task == THAW_TASK_LABELS && !binary)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: must have 0 and 1 alone for task=labels", from->name);
    return THAW_OK;
}

static thaw_status read_values(const thaw_content *from, const thaw_npy_header *header, thaw_dtype dtype,
                               thaw_tensor *into)
{
    size_t strides[THAW_MAX_RANK];
    const size_t bytes = thaw_dtype_bytes(dtype);
    thaw_status status = thaw_data_allow(from->context, from->name, header->count, bytes);
    if (status != THAW_OK)
        return status;
    into->dtype = dtype;
    into->data = thaw_allocate_raw(from->context, header->count * bytes);
    if (!into->data)
        return THAW_OUT_OF_MEMORY;
    thaw_npy_dense_strides(&header->shape, strides);
    return thaw_npy_read_values(from, header, strides, dtype, into->data);
}

thaw_status thaw_array_read_targets(const thaw_content *from, const thaw_array_form *form, thaw_samples *into)
{
    thaw_npy_header header;
    char text[80];
    const thaw_status status = thaw_npy_read_header(from, &header);
    if (status != THAW_OK)
        return status;
    if (header.shape.rank != 1 && header.shape.rank != 2)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: has shape %s, must be [samples] or [samples, columns]",
                         from->name, thaw_shape_format(&header.shape, text, sizeof text));
    const size_t rows = (size_t)header.shape.dims[0], columns = header.count / rows;
    const bool classes = form->has_task ? form->task == THAW_TASK_CLASSES : columns == 1 && header.kind != 'f';
    if (classes && columns > 1)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: has %zu columns, must have one for classes", from->name,
                         columns);
    into->targets.shape = (thaw_shape){ .rank = classes ? 1 : 2, .dims = { (int64_t)rows, (int64_t)columns } };
    const thaw_status read = read_values(from, &header, classes ? THAW_I32 : THAW_F32, &into->targets);
    if (read != THAW_OK)
        return read;
    if (!classes)
        return judge(from, form, rows, columns, into);
    into->task = THAW_TASK_CLASSES;
    into->classes = form->classes;
    return count_classes(from, into->targets.data, rows, &into->classes);
}

/* ---- inputs ---- */

static bool can_be_channels(int64_t dimension)
{
    return dimension == 1 || dimension == 3;
}

/* Whether images of four dimensions have their channels before height and width. */
static thaw_status find_channels(const thaw_content *from, const thaw_shape *shape, const thaw_array_form *form,
                                 bool *first)
{
    char text[80];
    *first = form->has_layout ? form->channels_first : !can_be_channels(shape->dims[3]);
    if (form->has_layout || can_be_channels(shape->dims[3]) || can_be_channels(shape->dims[1]))
        return THAW_OK;
    return thaw_fail(from->context, THAW_BAD_FORMAT,
                     "%s: has shape %s, must have 1 or 3 channels; otherwise layout=hwc or layout=chw says where they "
                     "are",
                     from->name, thaw_shape_format(shape, text, sizeof text));
}

/* The shape of a sample, and where elements go: channels are last. */
static thaw_status lay_out(const thaw_content *from, const thaw_shape *shape, const thaw_array_form *form,
                           thaw_shape *sample, size_t strides[THAW_MAX_RANK])
{
    bool first = false;
    const int64_t *d = shape->dims;
    thaw_npy_dense_strides(shape, strides);
    *sample = (thaw_shape){ .rank = shape->rank - 1 };
    memcpy(sample->dims, d + 1, (size_t)sample->rank * sizeof *d);
    if (shape->rank == 1)
        *sample = (thaw_shape){ .rank = 1, .dims = { 1 } };
    if (shape->rank == 3)
        sample->dims[sample->rank++] = 1;
    const thaw_status status = shape->rank == 4 ? find_channels(from, shape, form, &first) : THAW_OK;
    if (first) {
        const size_t channels = (size_t)d[1];
        *sample = (thaw_shape){ .rank = 3, .dims = { d[2], d[3], d[1] } };
        strides[1] = 1;
        strides[2] = (size_t)d[3] * channels;
        strides[3] = channels;
    }
    return status;
}

static thaw_status read_inputs(const thaw_content *from, const thaw_npy_header *header, const size_t *strides,
                               thaw_samples *into)
{
    const bool bytes = header->kind == 'u' && header->width == 1 && into->sample_shape.rank == 3;
    thaw_tensor *inputs = &into->inputs;
    inputs->dtype = bytes ? THAW_U8 : THAW_F32;
    const size_t width = thaw_dtype_bytes(inputs->dtype);
    const thaw_status status = thaw_data_allow(from->context, from->name, header->count, width);
    if (status != THAW_OK)
        return status;
    inputs->shape = header->shape;
    inputs->data = thaw_allocate_raw(from->context, header->count * width);
    if (!inputs->data)
        return THAW_OUT_OF_MEMORY;
    const int64_t *d = into->sample_shape.dims;
    if (bytes && d[0] == d[1] && can_be_channels(d[2]))
        into->form = (thaw_folder_options){ .size = d[0], .channels = (int)d[2], .std = { 1, 1, 1 } };
    return thaw_npy_read_values(from, header, strides, inputs->dtype, inputs->data);
}

thaw_status thaw_array_read_inputs(const thaw_content *from, const thaw_array_form *form, thaw_samples *into)
{
    thaw_npy_header header;
    size_t strides[THAW_MAX_RANK];
    thaw_status status = thaw_npy_read_header(from, &header);
    if (status != THAW_OK)
        return status;
    if (header.shape.rank == 0)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: has one number, must have a dimension of samples",
                         from->name);
    const int64_t rows = into->targets.data ? into->targets.shape.dims[0] : header.shape.dims[0];
    if (header.shape.dims[0] != rows)
        return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: has %lld samples, but there are targets for %lld",
                         from->name, (long long)header.shape.dims[0], (long long)rows);
    status = lay_out(from, &header.shape, form, &into->sample_shape, strides);
    return status == THAW_OK ? read_inputs(from, &header, strides, into) : status;
}
