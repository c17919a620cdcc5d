#include "data/dataset.h"

#include <string.h>

#include "core/allocation.h"
#include "data/class_names.h"
#include "data/fields.h"

static thaw_status refuse(thaw_context *context, const thaw_source *source)
{
    char text[80];
    size_t elements;
    if (!source->read)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: the source has no read function");
    if (source->count == 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: the source has no samples");
    if (!thaw_shape_usable(&source->sample_shape, 1))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: samples have the invalid shape %s",
                         thaw_shape_format(&source->sample_shape, text, sizeof text));
    if (!thaw_shape_usable(&source->target_shape, 1))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: targets have the invalid shape %s",
                         thaw_shape_format(&source->target_shape, text, sizeof text));
    if (source->target_dtype != THAW_I32 && source->target_dtype != THAW_F32)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: targets must be int32 labels or floats");
    if (source->target_dtype == THAW_I32 && source->classes == 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: labels must have at least one class");
    if (source->target_dtype == THAW_F32 && source->classes != 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: %zu classes, must be 0 for targets that are floats",
                         source->classes);
    if (!thaw_multiply_sizes(source->count, thaw_shape_count(&source->sample_shape), &elements))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: %zu samples of shape %s overflow a size",
                         source->count, thaw_shape_format(&source->sample_shape, text, sizeof text));
    return THAW_OK;
}

thaw_status thaw_dataset_create(thaw_context *context, const thaw_source *source, thaw_dataset **dataset)
{
    *dataset = NULL;
    thaw_source whole = *source;
    thaw_status status = thaw_fields_pack(context, &whole);
    thaw_dataset *made = NULL;
    thaw_field *fields = NULL;
    char **class_names = NULL;
    if (status == THAW_OK)
        status = refuse(context, &whole);
    if (status == THAW_OK)
        status = thaw_fields_copy(context, source->fields, source->field_count, &fields);
    if (status == THAW_OK)
        status = thaw_copy_class_names(context, source->class_names, source->classes, &class_names);
    if (status == THAW_OK && !(made = thaw_allocate(context, sizeof *made)))
        status = THAW_OUT_OF_MEMORY;
    if (status != THAW_OK) {
        thaw_release(context, class_names);
        thaw_release(context, fields);
        if (source->release)
            source->release(source->user);
        return status;
    }
    made->context = context;
    made->source = whole;
    made->source.views = whole.random ? whole.views : 0;
    made->source.fields = made->fields = fields;
    made->source.class_names = (const char *const *)class_names;
    made->class_names = class_names;
    made->sample_elements = thaw_shape_count(&whole.sample_shape);
    made->target_bytes = thaw_shape_count(&source->target_shape) * thaw_dtype_bytes(source->target_dtype);
    made->task = THAW_TASK_REGRESSION;
    made->outside = source->count;
    pthread_mutex_init(&made->reading, NULL);
    *dataset = made;
    return THAW_OK;
}

thaw_status thaw_dataset_name_classes(thaw_dataset *dataset, const char *const *names)
{
    char **copied;
    const thaw_status status = thaw_copy_class_names(dataset->context, names, dataset->source.classes, &copied);
    if (status != THAW_OK)
        return status;
    thaw_release(dataset->context, dataset->class_names);
    dataset->class_names = copied;
    dataset->source.class_names = (const char *const *)copied;
    return THAW_OK;
}

thaw_status thaw_dataset_note_columns(thaw_dataset *dataset, const char *columns, const char *labels)
{
    thaw_context *context = dataset->context;
    char *one = columns ? thaw_copy_text(context, columns) : NULL, *other = NULL;
    if (labels)
        other = thaw_copy_text(context, labels);
    if ((columns && !one) || (labels && !other)) {
        thaw_release(context, one);
        thaw_release(context, other);
        return THAW_OUT_OF_MEMORY;
    }
    thaw_release(context, dataset->columns);
    thaw_release(context, dataset->label_columns);
    dataset->columns = one;
    dataset->label_columns = other;
    return THAW_OK;
}

thaw_status thaw_dataset_derive(thaw_context *context, const thaw_source *source, const thaw_dataset *from,
                                thaw_dataset **dataset)
{
    thaw_dataset *made;
    *dataset = NULL;
    thaw_status status = thaw_dataset_create(context, source, &made);
    if (status != THAW_OK)
        return status;
    made->form = from->form;
    made->task = from->task;
    made->missing = from->missing;
    made->repeats_after = from->repeats_after;
    made->drawn = from->drawn;
    status = thaw_target_scale_copy(context, &from->scale, &made->scale);
    if (status == THAW_OK)
        status = thaw_text_form_copy(context, &from->texts, &made->texts);
    if (status == THAW_OK)
        status = thaw_dataset_note_columns(made, from->columns, from->label_columns);
    if (status == THAW_OK)
        *dataset = made;
    else
        thaw_dataset_destroy(made);
    return status;
}

void thaw_dataset_destroy(thaw_dataset *dataset)
{
    while (dataset) {
        thaw_dataset *owned = dataset->owned;
        if (dataset->source.release)
            dataset->source.release(dataset->source.user);
        pthread_mutex_destroy(&dataset->reading);
        thaw_release(dataset->context, dataset->class_names);
        thaw_release(dataset->context, dataset->fields);
        thaw_release(dataset->context, dataset->lengths);
        thaw_release(dataset->context, dataset->columns);
        thaw_release(dataset->context, dataset->label_columns);
        thaw_target_scale_release(dataset->context, &dataset->scale);
        thaw_text_form_release(dataset->context, &dataset->texts);
        thaw_release(dataset->context, dataset);
        dataset = owned;
    }
}

size_t thaw_dataset_count(const thaw_dataset *dataset)
{
    return dataset->source.count;
}

size_t thaw_dataset_classes(const thaw_dataset *dataset)
{
    return dataset->source.classes;
}

thaw_task thaw_dataset_task(const thaw_dataset *dataset)
{
    if (dataset->source.classes)
        return dataset->source.target_shape.rank ? THAW_TASK_TOKENS : THAW_TASK_CLASSES;
    return dataset->task;
}

bool thaw_dataset_target_scale(const thaw_dataset *dataset, size_t column, double *mean, double *deviation)
{
    const bool scaled = column < dataset->scale.count;
    *mean = scaled ? dataset->scale.columns[column].mean : 0;
    *deviation = scaled ? dataset->scale.columns[column].deviation : 1;
    return scaled;
}

const char *thaw_dataset_class_name(const thaw_dataset *dataset, size_t index)
{
    const thaw_source *source = &dataset->source;
    return source->class_names && index < source->classes ? source->class_names[index] : NULL;
}

const thaw_shape *thaw_dataset_sample_shape(const thaw_dataset *dataset)
{
    return &dataset->source.sample_shape;
}

const thaw_shape *thaw_dataset_target_shape(const thaw_dataset *dataset)
{
    return &dataset->source.target_shape;
}

bool thaw_dataset_is_random(const thaw_dataset *dataset)
{
    return dataset->source.random;
}

size_t thaw_dataset_views(const thaw_dataset *dataset)
{
    return dataset->source.views;
}

thaw_status thaw_dataset_set_lengths(thaw_dataset *dataset, const int32_t *lengths)
{
    const size_t count = dataset->source.count;
    for (size_t i = 0; i < count; i++)
        if (lengths[i] < 0)
            return thaw_fail(dataset->context, THAW_INVALID_ARGUMENT,
                             "data set: the length of sample %zu is %d, must not be negative", i, (int)lengths[i]);
    int32_t *copied = thaw_allocate_array(dataset->context, count, sizeof *copied);
    if (!copied)
        return THAW_OUT_OF_MEMORY;
    memcpy(copied, lengths, count * sizeof *copied);
    thaw_release(dataset->context, dataset->lengths);
    dataset->lengths = copied;
    return THAW_OK;
}
