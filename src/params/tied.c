#include "params/tied.h"

#include <string.h>
#include <thaw/model.h>

#include "core/allocation.h"
#include "core/context.h"
#include "params/expression.h"

/* The parameter that another one is, by thaw_parameter_bind; NULL: it has values of its own, or computed ones. */
static const thaw_parameter *source_of(const thaw_parameter *parameter)
{
    const thaw_expression *bound = parameter ? parameter->bound : NULL;
    return bound && !bound->operation ? bound->parameter : NULL;
}

static thaw_status compare(const thaw_safetensors *file, const thaw_stored_tensor *tied,
                           const thaw_stored_tensor *source, bool *equal)
{
    *equal = thaw_shape_equal(&tied->shape, &source->shape);
    if (!*equal)
        return THAW_OK;
    const size_t count = thaw_shape_count(&tied->shape);
    float *values = thaw_allocate_array(file->context, 2 * count, sizeof *values);
    if (!values)
        return THAW_OUT_OF_MEMORY;
    thaw_status status = thaw_safetensors_read(file, tied, values);
    if (status == THAW_OK)
        status = thaw_safetensors_read(file, source, values + count);
    *equal = memcmp(values, values + count, count * sizeof *values) == 0;
    thaw_release(file->context, values);
    return status;
}

thaw_status thaw_tied_compare(thaw_model *model, const thaw_safetensors *file)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < file->count && status == THAW_OK; i++) {
        const thaw_stored_tensor *tied = &file->tensors[i];
        const thaw_parameter *kept = source_of(thaw_model_find_parameter(model, tied->name));
        const thaw_stored_tensor *source = kept ? thaw_safetensors_find(file, thaw_parameter_name(kept)) : NULL;
        bool equal;
        if (!source)
            continue;
        status = compare(file, tied, source, &equal);
        if (status == THAW_OK && !equal)
            thaw_log(file->context, THAW_LOG_WARNING,
                     "%s: tensor \"%.100s\" differs from \"%.100s\", to which the model ties it, and is not loaded",
                     file->path, tied->name, source->name);
    }
    return status;
}
