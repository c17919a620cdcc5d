#include "data/arrays.h"

#include <string.h>
#include <thaw/runtime.h>

#include "data/dataset.h"

typedef struct arrays {
    thaw_context *context;
    const void *inputs, *targets;
    void *owned_inputs, *owned_targets; /* the same if they are ours to release, else NULL */
    thaw_dtype dtype;                   /* of the inputs */
    size_t elements, target_bytes;      /* of one sample */
} arrays;

static void scale_bytes(const uint8_t *restrict bytes, size_t count, float *restrict floats)
{
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)bytes[i] / 255.0F;
}

static bool read_arrays(void *user, const size_t *indices, size_t count, float *samples, void *targets, char *message,
                        size_t capacity)
{
    (void)message;
    (void)capacity;
    const arrays *from = user;
    const size_t elements = from->elements, target_bytes = from->target_bytes;
    for (size_t i = 0; i < count; i++) {
        if (from->dtype == THAW_U8)
            scale_bytes((const uint8_t *)from->inputs + indices[i] * elements, elements, samples + i * elements);
        else
            memcpy(samples + i * elements, (const float *)from->inputs + indices[i] * elements,
                   elements * sizeof *samples);
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

/* The first sample from `begin` on whose label is outside the classes and is not `but`; `count` if there is
   none. */
static size_t find_outside(const int32_t *labels, size_t begin, size_t count, size_t classes, int32_t but)
{
    for (size_t i = begin; i < count; i++)
        if ((labels[i] < 0 || (size_t)labels[i] >= classes) && labels[i] != but)
            return i;
    return count;
}

/* One label may be outside the classes: a loss may ignore it. That is checked when the two meet. */
static thaw_status check_labels(thaw_context *context, const int32_t *labels, size_t count, size_t classes)
{
    const size_t first = find_outside(labels, 0, count, classes, 0);
    const size_t other = first < count ? find_outside(labels, first, count, classes, labels[first]) : count;
    if (other == count)
        return THAW_OK;
    return thaw_fail(
        context, THAW_INVALID_ARGUMENT,
        "data set: label %d of sample %zu and label %d of sample %zu are not in [0, %zu); at most one label "
        "may be outside, for a loss that ignores it",
        labels[first], first, labels[other], other, classes);
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
        targets->shape.rank < 1 || inputs->shape.dims[0] != targets->shape.dims[0] ||
        (classes && targets->shape.rank != 1))
        return thaw_fail(context, THAW_SHAPE_MISMATCH, "data set: inputs of shape %s do not match targets of shape %s",
                         thaw_shape_format(&inputs->shape, one, sizeof one),
                         thaw_shape_format(&targets->shape, other, sizeof other));
    return classes ? check_labels(context, targets->data, (size_t)targets->shape.dims[0], classes) : THAW_OK;
}

/* The shape of one sample of a batch. */
static thaw_shape sample_of(const thaw_shape *batch)
{
    thaw_shape sample = { .rank = batch->rank - 1 };
    memcpy(sample.dims, batch->dims + 1, (size_t)sample.rank * sizeof sample.dims[0]);
    return sample;
}

static thaw_status create(arrays *from, const thaw_tensor *inputs, const thaw_tensor *targets,
                          const thaw_shape *sample_shape, size_t classes, thaw_dataset **dataset)
{
    const thaw_shape target_shape = sample_of(&targets->shape);
    from->inputs = inputs->data;
    from->targets = targets->data;
    from->dtype = inputs->dtype;
    from->elements = thaw_shape_count(sample_shape);
    from->target_bytes = thaw_shape_count(&target_shape) * thaw_dtype_bytes(targets->dtype);
    const thaw_source source = {
        .count = (size_t)inputs->shape.dims[0],
        .sample_shape = *sample_shape,
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
    made->labels = targets->data;
    made->outside = find_outside(made->labels, 0, source.count, classes, 0);
    made->outside_label = made->outside < source.count ? made->labels[made->outside] : 0;
    return THAW_OK;
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
    return create(from, inputs, targets, &sample_shape, classes, dataset);
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
    return create(from, inputs, targets, sample_shape, classes, dataset);
}
