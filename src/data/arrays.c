#include "data/arrays.h"

#include <string.h>
#include <thaw/runtime.h>

#include "data/dataset.h"
#include "data/fields.h"

/* An array of inputs. */
typedef struct input {
    const void *data;
    thaw_dtype dtype;
    size_t elements; /* of one sample */
} input;

typedef struct arrays {
    thaw_context *context;
    input inputs[THAW_MOST_FIELDS];
    size_t input_count;
    const void *targets;
    void *owned_inputs, *owned_targets; /* the same if they are ours to release, else NULL */
    size_t target_bytes;                /* of one sample */
} arrays;

static void scale_bytes(const uint8_t *restrict bytes, size_t count, float *restrict floats)
{
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)bytes[i] / 255.0F;
}

static void copy_values(const input *from, size_t sample, float *into)
{
    const size_t first = sample * from->elements;
    if (from->dtype == THAW_U8)
        scale_bytes((const uint8_t *)from->data + first, from->elements, into);
    else if (from->dtype == THAW_F32)
        memcpy(into, (const float *)from->data + first, from->elements * sizeof *into);
    for (size_t i = 0; from->dtype == THAW_I32 && i < from->elements; i++)
        into[i] = (float)((const int32_t *)from->data)[first + i];
}

static bool read_arrays(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                        size_t capacity)
{
    (void)message;
    (void)capacity;
    const arrays *from = user;
    const size_t target_bytes = from->target_bytes;
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < from->input_count; samples += from->inputs[k++].elements)
            copy_values(&from->inputs[k], indices[i], samples);
        memcpy((char *)targets + i * target_bytes, (const char *)from->targets + indices[i] * target_bytes,
               target_bytes);
    }
    return true;
}

static void release_arrays(void *user)
{
    arrays *from = user;
    thaw_release(from->context, from->owned_inputs);
    thaw_release(from->context, from->owned_targets);
    thaw_release(from->context, from);
}

/* The first label from `begin` on that is outside the classes and is not `but`; `count` if there is none. */
static size_t find_outside(const int32_t *labels, size_t begin, size_t count, size_t classes, int32_t but)
{
    for (size_t i = begin; i < count; i++)
        if ((labels[i] < 0 || (size_t)labels[i] >= classes) && labels[i] != but)
            return i;
    return count;
}

/* One label may be outside the classes: a loss may ignore it. That is checked when the two meet. */
static thaw_status check_labels(thaw_context *context, const thaw_tensor *targets, size_t classes)
{
    const int32_t *labels = targets->data;
    const size_t count = thaw_shape_count(&targets->shape), each = count / (size_t)targets->shape.dims[0];
    const size_t first = find_outside(labels, 0, count, classes, 0);
    const size_t other = first < count ? find_outside(labels, first, count, classes, labels[first]) : count;
    if (other == count)
        return THAW_OK;
    return thaw_fail(
        context, THAW_INVALID_ARGUMENT,
        "data set: label %d of sample %zu and label %d of sample %zu are not in [0, %zu); at most one label "
        "may be outside, for a loss that ignores it",
        labels[first], first / each, labels[other], other / each, classes);
}

static thaw_status check_arrays(thaw_context *context, const thaw_tensor *inputs, const thaw_tensor *targets,
                                size_t classes)
{
    char one[80], other[80];
    if (!inputs->data || !targets->data)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: an array is missing");
    if (inputs->dtype != THAW_F32 && inputs->dtype != THAW_U8)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: inputs must be floats or bytes");
    if (targets->dtype != (classes ? THAW_I32 : THAW_F32))
        return thaw_fail(context, THAW_INVALID_ARGUMENT,
                         "data set: targets must be int32 labels if there are classes, floats otherwise");
    if (!thaw_shape_usable(&inputs->shape, 1) || !thaw_shape_usable(&targets->shape, 1) || inputs->shape.rank < 1 ||
        targets->shape.rank < 1 || inputs->shape.dims[0] != targets->shape.dims[0])
        return thaw_fail(context, THAW_SHAPE_MISMATCH, "data set: inputs of shape %s do not match targets of shape %s",
                         thaw_shape_format(&inputs->shape, one, sizeof one),
                         thaw_shape_format(&targets->shape, other, sizeof other));
    return classes ? check_labels(context, targets, classes) : THAW_OK;
}

/* The shape of one sample of a batch. */
static thaw_shape sample_of(const thaw_shape *batch)
{
    thaw_shape sample = { .rank = batch->rank - 1 };
    memcpy(sample.dims, batch->dims + 1, (size_t)sample.rank * sizeof sample.dims[0]);
    return sample;
}

/* `fields` are those of `from->inputs`. */
static thaw_status create(arrays *from, const thaw_tensor *targets, const thaw_field *fields, size_t classes,
                          thaw_dataset **dataset)
{
    const thaw_shape target_shape = sample_of(&targets->shape);
    from->targets = targets->data;
    from->target_bytes = thaw_shape_count(&target_shape) * thaw_dtype_bytes(targets->dtype);
    const thaw_source source = {
        .count = (size_t)targets->shape.dims[0],
        .sample_shape = fields[0].shape,
        .fields = fields,
        .field_count = from->input_count == 1 && !fields[0].name ? 0 : from->input_count,
        .target_dtype = targets->dtype,
        .target_shape = target_shape,
        .classes = classes,
        .read = read_arrays,
        .release = release_arrays,
        .user = from,
    };
    const thaw_status status = thaw_dataset_create(from->context, &source, dataset);
    if (status != THAW_OK || !classes)
        return status;
    thaw_dataset *made = *dataset;
    const int32_t *labels = targets->data;
    const size_t each = thaw_shape_count(&target_shape), count = source.count * each;
    const size_t outside = find_outside(labels, 0, count, classes, 0);
    made->labels = target_shape.rank == 0 ? labels : NULL;
    made->outside = outside / each;
    made->outside_label = outside < count ? labels[outside] : 0;
    return THAW_OK;
}

static thaw_status create_single(arrays *from, const thaw_tensor *inputs, const thaw_tensor *targets,
                                 const thaw_shape *sample_shape, size_t classes, thaw_dataset **dataset)
{
    from->inputs[0] = (input){ inputs->data, inputs->dtype, thaw_shape_count(sample_shape) };
    from->input_count = 1;
    return create(from, targets, &(thaw_field){ .shape = *sample_shape }, classes, dataset);
}

thaw_status thaw_dataset_from_arrays(thaw_context *context, const thaw_tensor *inputs, const thaw_tensor *targets,
                                     size_t classes, thaw_dataset **dataset)
{
    *dataset = NULL;
    const thaw_status status = check_arrays(context, inputs, targets, classes);
    if (status != THAW_OK)
        return status;
    arrays *from = thaw_allocate(context, sizeof *from);
    if (!from)
        return THAW_OUT_OF_MEMORY;
    from->context = context;
    const thaw_shape sample_shape = sample_of(&inputs->shape);
    return create_single(from, inputs, targets, &sample_shape, classes, dataset);
}

static thaw_status check_whole_numbers(thaw_context *context, const thaw_tensor *numbers, const char *name)
{
    const int32_t *values = numbers->data;
    for (size_t i = 0; i < thaw_shape_count(&numbers->shape); i++)
        if (values[i] < -THAW_MOST_WHOLE_NUMBER || values[i] > THAW_MOST_WHOLE_NUMBER)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: %s of sample %zu is %d, must be from %d to %d",
                             name, i / (thaw_shape_count(&numbers->shape) / (size_t)numbers->shape.dims[0]),
                             (int)values[i], -THAW_MOST_WHOLE_NUMBER, THAW_MOST_WHOLE_NUMBER);
    return THAW_OK;
}

/* Floats stand in for whole numbers, so that the checks of arrays apply. */
static thaw_status take_input(arrays *from, const thaw_tensor *inputs, const char *name, const thaw_tensor *targets,
                              size_t classes)
{
    thaw_tensor checked = *inputs;
    if (checked.dtype == THAW_I32)
        checked.dtype = THAW_F32;
    thaw_status status = check_arrays(from->context, &checked, targets, classes);
    if (status == THAW_OK && inputs->dtype == THAW_I32)
        status = check_whole_numbers(from->context, inputs, name ? name : "an input");
    if (status != THAW_OK)
        return status;
    const thaw_shape sample = sample_of(&inputs->shape);
    from->inputs[from->input_count++] = (input){ inputs->data, inputs->dtype, thaw_shape_count(&sample) };
    return THAW_OK;
}

thaw_status thaw_dataset_from_fields(thaw_context *context, const thaw_tensor *inputs, const char *const *names,
                                     size_t count, const thaw_tensor *targets, size_t classes, thaw_dataset **dataset)
{
    thaw_field fields[THAW_MOST_FIELDS];
    *dataset = NULL;
    if (count < 1 || count > THAW_MOST_FIELDS)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: there are %zu inputs, must be 1 to %d", count,
                         THAW_MOST_FIELDS);
    arrays *from = thaw_allocate(context, sizeof *from);
    if (!from)
        return THAW_OUT_OF_MEMORY;
    from->context = context;
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < count && status == THAW_OK; i++) {
        const char *name = names ? names[i] : NULL;
        status = take_input(from, &inputs[i], name, targets, classes);
        if (status == THAW_OK)
            fields[i] =
                (thaw_field){ name, inputs[i].dtype == THAW_I32 ? THAW_I32 : THAW_F32, sample_of(&inputs[i].shape) };
    }
    if (status == THAW_OK)
        return create(from, targets, fields, classes, dataset);
    release_arrays(from);
    return status;
}

thaw_status thaw_dataset_from_owned(thaw_context *context, const thaw_tensor *inputs, const thaw_tensor *targets,
                                    const thaw_shape *sample_shape, size_t classes, thaw_dataset **dataset)
{
    *dataset = NULL;
    thaw_status status = check_arrays(context, inputs, targets, classes);
    arrays *from = NULL;
    if (status == THAW_OK && !(from = thaw_allocate(context, sizeof *from)))
        status = THAW_OUT_OF_MEMORY;
    if (status != THAW_OK) {
        thaw_release(context, inputs->data);
        thaw_release(context, targets->data);
        return status;
    }
    *from = (arrays){ .context = context, .owned_inputs = inputs->data, .owned_targets = targets->data };
    return create_single(from, inputs, targets, sample_shape, classes, dataset);
}
