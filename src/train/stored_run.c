#include "train/stored_run.h"

#include <string.h>

#include "core/allocation.h"
#include "params/bits.h"
#include "params/suits.h"
#include "train/run_state.h"
#include "train/snapshot.h"

enum { VALUES = -1, SLICES = -2 }; /* see thaw_stored_place.part */

thaw_status thaw_stored_damaged(const thaw_stored_run *from, const char *what)
{
    return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: is no checkpoint of this version: %s", from->path, what);
}

static thaw_status check_tensor(const thaw_stored_run *from, const thaw_stored_tensor *tensor, const thaw_shape *shape,
                                const char *dtype)
{
    if (strcmp(tensor->dtype, dtype) == 0 && thaw_shape_equal(&tensor->shape, shape))
        return THAW_OK;
    char there[80], here[80];
    return thaw_fail(from->context, THAW_INVALID_ARGUMENT,
                     "%s: is of another run: %.200s is %s %s in the checkpoint, %s %s here", from->path, tensor->name,
                     tensor->dtype, thaw_shape_format(&tensor->shape, there, sizeof there), dtype,
                     thaw_shape_format(shape, here, sizeof here));
}

static thaw_status add_place(thaw_stored_run *from, const thaw_stored_tensor *tensor, thaw_parameter *parameter,
                             int part)
{
    thaw_stored_place *places =
        thaw_grow(from->context, from->places, &from->place_capacity, from->place_count + 1, sizeof *places);
    if (!places)
        return THAW_OUT_OF_MEMORY;
    from->places = places;
    from->places[from->place_count++] = (thaw_stored_place){ tensor, parameter, part };
    from->used += tensor != NULL;
    return THAW_OK;
}

/* Finds the tensor "parameter[detail]"; NULL: there is none. */
static thaw_status find_tensor(const thaw_stored_run *from, const thaw_parameter *parameter, const char *detail,
                               const thaw_shape *shape, const char *dtype, const thaw_stored_tensor **tensor)
{
    thaw_text text = { .context = from->context };
    char *name;
    thaw_text_append(&text, THAW_SNAPSHOT_DETAIL, parameter->name, detail);
    if (thaw_text_finish(&text, &name) != THAW_OK)
        return THAW_OUT_OF_MEMORY;
    *tensor = thaw_safetensors_find(&from->file, name);
    thaw_release(from->context, name);
    return *tensor ? check_tensor(from, *tensor, shape, dtype) : THAW_OK;
}

/* The same for memory that the parameter may have. Makes the memory that only the checkpoint has, to be filled. */
static thaw_status find_detail(thaw_stored_run *from, thaw_parameter *parameter, int part, const char *detail,
                               const thaw_shape *shape, thaw_dtype dtype, void **memory)
{
    const thaw_stored_tensor *tensor;
    thaw_status status = find_tensor(from, parameter, detail, shape, thaw_safetensors_dtype(dtype), &tensor);
    if (status == THAW_OK && tensor && !*memory) {
        *memory = thaw_allocate_array(from->context, thaw_shape_count(shape), thaw_dtype_bytes(dtype));
        status = *memory ? THAW_OK : THAW_OUT_OF_MEMORY;
    }
    return status == THAW_OK && *memory ? add_place(from, tensor, parameter, part) : status;
}

static thaw_status find_slot(thaw_stored_run *from, thaw_parameter *parameter, int k)
{
    void *memory = parameter->slot[k];
    thaw_shape shape;
    const thaw_dtype dtype = thaw_parameter_slot_array(parameter, (size_t)k, &shape);
    const thaw_status status =
        find_detail(from, parameter, k, thaw_parameter_slot_name(parameter, (size_t)k), &shape, dtype, &memory);
    parameter->slot[k] = memory;
    return status;
}

static thaw_status find_slices(thaw_stored_run *from, thaw_parameter *parameter)
{
    const thaw_shape shape = { 1, { (int64_t)(thaw_bit_words(parameter->count) * sizeof(uint64_t)) } };
    void *memory = parameter->frozen_elements;
    const thaw_status status = find_detail(from, parameter, SLICES, THAW_SNAPSHOT_SLICES, &shape, THAW_U8, &memory);
    parameter->frozen_elements = memory;
    return status;
}

static bool read_updates(thaw_stored_run *from, const char *kind, const char *name, uint64_t most, uint64_t *updates)
{
    const char *value = thaw_lines_find(&from->state, kind, name, NULL);
    return value && thaw_lines_read_number(&value, updates) && *updates <= most;
}

static thaw_status find_average(thaw_stored_run *from, thaw_parameter *parameter)
{
    const thaw_stored_tensor *tensor = NULL;
    uint64_t updates;
    const thaw_status status = find_tensor(from, parameter, THAW_SNAPSHOT_AVERAGE, &parameter->shape, "F32", &tensor);
    if (status != THAW_OK || !tensor)
        return status;
    if (!read_updates(from, THAW_AVERAGE_OF, parameter->name, from->average->updates, &updates))
        return thaw_stored_damaged(from, "the updates of an average cannot be read");
    from->used++;
    return thaw_average_add(from->average, parameter, from->bytes + tensor->begin, updates);
}

thaw_status thaw_stored_find_averages(thaw_stored_run *from, thaw_parameter_set *set, double decay)
{
    if (decay == 0)
        return THAW_OK;
    thaw_status status = thaw_average_create(set, decay, &from->average);
    if (status == THAW_OK && !read_updates(from, THAW_AVERAGE_UPDATES, NULL, UINT64_MAX, &from->average->updates))
        status = thaw_stored_damaged(from, "the updates of the averages cannot be read");
    for (size_t i = 0; i < set->parameter_count && status == THAW_OK; i++)
        status = find_average(from, set->parameters[i]);
    return status;
}

thaw_status thaw_stored_find_values(thaw_stored_run *from, const thaw_parameter *parameter, const char *detail,
                                    const thaw_stored_tensor **tensor)
{
    const thaw_status status = find_tensor(from, parameter, detail, &parameter->shape, "F32", tensor);
    if (status == THAW_OK && !*tensor)
        return thaw_stored_damaged(from, "values of a parameter are missing");
    from->used += status == THAW_OK;
    return status;
}

static thaw_status find_parameter(thaw_stored_run *from, thaw_parameter *parameter)
{
    const int slots = (int)thaw_parameter_slot_count(parameter);
    const thaw_stored_tensor *tensor = thaw_safetensors_find(&from->file, parameter->name);
    if (!tensor)
        return thaw_fail(from->context, THAW_INVALID_ARGUMENT, "%s: is of another run: it lacks the parameter %.200s",
                         from->path, parameter->name);
    thaw_status status = check_tensor(from, tensor, &parameter->shape, "F32");
    if (status == THAW_OK)
        status = add_place(from, tensor, parameter, VALUES);
    for (int k = 0; k < slots && status == THAW_OK; k++)
        status = find_slot(from, parameter, k);
    return status == THAW_OK ? find_slices(from, parameter) : status;
}

thaw_status thaw_stored_find_places(thaw_stored_run *from, const thaw_parameter_set *set)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < set->parameter_count && status == THAW_OK; i++)
        status = find_parameter(from, set->parameters[i]);
    if (status == THAW_OK && from->used != from->file.count)
        status = thaw_fail(from->context, THAW_INVALID_ARGUMENT,
                           "%s: is of another run: it has %zu tensors, this run can use %zu of them", from->path,
                           from->file.count, from->used);
    return status;
}

static void drop(thaw_context *context, const thaw_stored_place *to)
{
    void *memory = to->part == SLICES ? (void *)to->parameter->frozen_elements : to->parameter->slot[to->part];
    thaw_release(context, memory);
    if (to->part == SLICES)
        to->parameter->frozen_elements = NULL;
    else
        to->parameter->slot[to->part] = NULL;
}

static void fill(const thaw_stored_run *from, const thaw_stored_place *to)
{
    thaw_parameter *parameter = to->parameter;
    const size_t bytes = (size_t)(to->tensor->end - to->tensor->begin);
    void *memory = to->part == VALUES   ? (void *)parameter->data
                   : to->part == SLICES ? (void *)parameter->frozen_elements
                                        : parameter->slot[to->part];
    memcpy(memory, from->bytes + to->tensor->begin, bytes);
    if (to->part != VALUES)
        return;
    parameter->absent = false; /* all values are written */
    parameter->version++;
}

void thaw_stored_fill(const thaw_stored_run *from)
{
    for (size_t i = 0; i < from->place_count; i++)
        if (from->places[i].tensor)
            fill(from, &from->places[i]);
        else
            drop(from->context, &from->places[i]);
}
