#include "data/fields.h"

#include <string.h>

#include "core/allocation.h"
#include "data/dataset.h"

static thaw_shape shape_of(const thaw_field *field)
{
    return field->shape.rank == 0 ? (thaw_shape){ 1, { 1 } } : field->shape;
}

static thaw_status check_field(thaw_context *context, const thaw_source *source, size_t index)
{
    const thaw_field *field = &source->fields[index];
    char text[80];
    if (!thaw_shape_usable(&field->shape, 1))
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: field %zu has the invalid shape %s", index,
                         field->shape.rank <= THAW_MAX_RANK ? thaw_shape_format(&field->shape, text, sizeof text)
                                                            : "of a rank above 6");
    if (field->dtype != THAW_F32 && field->dtype != THAW_I32)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: field %zu must be of f32 or i32", index);
    for (size_t i = 0; i < index && field->name; i++)
        if (source->fields[i].name && strcmp(source->fields[i].name, field->name) == 0)
            return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: fields %zu and %zu are both called \"%.100s\"",
                             i, index, field->name);
    return THAW_OK;
}

thaw_status thaw_fields_pack(thaw_context *context, thaw_source *source)
{
    size_t values = 0;
    if (source->field_count > THAW_MOST_FIELDS)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "data set: samples have %zu fields, must have at most %d",
                         source->field_count, THAW_MOST_FIELDS);
    for (size_t i = 0; i < source->field_count; i++) {
        const thaw_status status = check_field(context, source, i);
        if (status != THAW_OK)
            return status;
        values += thaw_shape_count(&source->fields[i].shape);
    }
    if (source->field_count)
        source->sample_shape =
            source->field_count == 1 ? shape_of(&source->fields[0]) : (thaw_shape){ 1, { (int64_t)values } };
    return THAW_OK;
}

thaw_status thaw_fields_copy(thaw_context *context, const thaw_field *fields, size_t count, thaw_field **copy)
{
    size_t bytes = count * sizeof *fields;
    *copy = NULL;
    if (!count)
        return THAW_OK;
    for (size_t i = 0; i < count; i++)
        bytes += fields[i].name ? strlen(fields[i].name) + 1 : 0;
    thaw_field *copied = thaw_allocate(context, bytes);
    if (!copied)
        return THAW_OUT_OF_MEMORY;
    char *next = (char *)(copied + count);
    for (size_t i = 0; i < count; i++) {
        copied[i] = (thaw_field){ NULL, fields[i].dtype, shape_of(&fields[i]) };
        if (!fields[i].name)
            continue;
        copied[i].name = next;
        next = stpcpy(next, fields[i].name) + 1;
    }
    *copy = copied;
    return THAW_OK;
}

size_t thaw_dataset_field_count(const thaw_dataset *dataset)
{
    return dataset->fields ? dataset->source.field_count : 1;
}

thaw_status thaw_dataset_field_at(const thaw_dataset *dataset, size_t index, thaw_field *field)
{
    if (index >= thaw_dataset_field_count(dataset))
        return thaw_fail(dataset->context, THAW_INVALID_ARGUMENT, "data set: field is %zu, samples have %zu", index,
                         thaw_dataset_field_count(dataset));
    *field = dataset->fields ? dataset->fields[index] : (thaw_field){ NULL, THAW_F32, dataset->source.sample_shape };
    return THAW_OK;
}
