#include "train/snapshot.h"

#include <stdio.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "graph/model.h"
#include "params/bits.h"
#include "params/keeping.h"
#include "params/suits.h"
#include "train/policy_run.h"
#include "train/run_description.h"
#include "train/run_state.h"

/* What is copied: a visitor is called for each, first to measure, then to copy. */
typedef struct item {
    const char *name, *detail; /* see snapshot.h; without a detail, the name alone */
    thaw_shape shape;
    thaw_dtype dtype;
    const thaw_parameter *values; /* of a parameter, which may be packed */
    const void *bytes;            /* of all else */
} item;

typedef void visitor(thaw_snapshot *snapshot, const item *visited);

static size_t bytes_of(const item *visited)
{
    return thaw_shape_count(&visited->shape) * thaw_dtype_bytes(visited->dtype);
}

static int write_name(const item *visited, char *name, size_t capacity)
{
    if (!visited->detail)
        return snprintf(name, capacity, "%s", visited->name);
    return snprintf(name, capacity, THAW_SNAPSHOT_DETAIL, visited->name, visited->detail);
}

static void measure(thaw_snapshot *snapshot, const item *visited)
{
    snapshot->count++;
    snapshot->name_bytes += (size_t)write_name(visited, NULL, 0) + 1;
    snapshot->value_bytes += thaw_align(bytes_of(visited));
}

static void copy(thaw_snapshot *snapshot, const item *visited)
{
    char *name = snapshot->names + snapshot->name_bytes, *place = snapshot->values + snapshot->value_bytes;
    snapshot->name_bytes += (size_t)write_name(visited, name, snapshot->name_capacity - snapshot->name_bytes) + 1;
    snapshot->value_bytes += thaw_align(bytes_of(visited));
    if (visited->values)
        thaw_parameter_read(visited->values, 0, visited->values->count, (float *)(void *)place);
    else
        memcpy(place, visited->bytes, bytes_of(visited));
    snapshot->tensors[snapshot->count++] =
        (thaw_named_tensor){ .name = name, .shape = visited->shape, .data = place, .dtype = visited->dtype };
}

static void visit_parameter(thaw_snapshot *snapshot, visitor *visit, const thaw_parameter *parameter)
{
    visit(snapshot, &(item){ .name = parameter->name, .shape = parameter->shape, .values = parameter });
    for (size_t k = 0; k < thaw_parameter_slot_count(parameter); k++) {
        item state = { .name = parameter->name,
                       .detail = thaw_parameter_slot_name(parameter, k),
                       .bytes = parameter->slot[k] };
        state.dtype = thaw_parameter_slot_array(parameter, k, &state.shape);
        if (state.bytes)
            visit(snapshot, &state);
    }
    if (parameter->frozen_elements)
        visit(snapshot, &(item){ .name = parameter->name,
                                 .detail = THAW_SNAPSHOT_SLICES,
                                 .shape = { 1, { (int64_t)(thaw_bit_words(parameter->count) * sizeof(uint64_t)) } },
                                 .dtype = THAW_U8,
                                 .bytes = parameter->frozen_elements });
}

static void visit_text(thaw_snapshot *snapshot, visitor *visit, const char *name, const char *text)
{
    visit(snapshot,
          &(item){ .name = name, .shape = { 1, { (int64_t)strlen(text) } }, .dtype = THAW_U8, .bytes = text });
}

static void visit_averages(thaw_snapshot *snapshot, visitor *visit, const thaw_average *average)
{
    for (size_t i = 0; average && i < average->count; i++) {
        const thaw_parameter *parameter = average->entries[i].parameter;
        if (!parameter->removed)
            visit(snapshot, &(item){ .name = parameter->name,
                                     .detail = THAW_SNAPSHOT_AVERAGE,
                                     .shape = parameter->shape,
                                     .bytes = average->entries[i].values });
    }
}

static void visit_policy(thaw_snapshot *snapshot, visitor *visit, const thaw_policy_run *policy)
{
    for (size_t i = 0; policy && i < policy->parameter_count; i++) {
        const thaw_watched_parameter *watched = &policy->parameters[i];
        if (watched->before && !watched->parameter->removed)
            visit(snapshot, &(item){ .name = watched->parameter->name,
                                     .detail = THAW_SNAPSHOT_POLICY,
                                     .shape = watched->parameter->shape,
                                     .bytes = watched->before });
    }
}

static void visit_all(thaw_snapshot *snapshot, visitor *visit, const thaw_trainer *trainer, const char *run,
                      const char *state)
{
    const thaw_parameter_set *set = &trainer->model->parameters;
    snapshot->count = snapshot->name_bytes = snapshot->value_bytes = 0;
    for (size_t i = 0; i < set->parameter_count; i++)
        visit_parameter(snapshot, visit, set->parameters[i]);
    visit_averages(snapshot, visit, trainer->average);
    visit_policy(snapshot, visit, trainer->policy);
    visit_text(snapshot, visit, THAW_SNAPSHOT_RUN, run);
    visit_text(snapshot, visit, THAW_SNAPSHOT_STATE, state);
}

/* Memory for at least so many bytes; what it held is lost. */
static bool reserve(thaw_context *context, void *place, size_t *capacity, size_t bytes)
{
    void **memory = place;
    if (bytes <= *capacity)
        return true;
    thaw_release(context, *memory);
    *memory = thaw_allocate_raw(context, bytes);
    *capacity = *memory ? bytes : 0;
    return *memory;
}

static bool reserve_all(thaw_snapshot *snapshot, thaw_context *context)
{
    return reserve(context, &snapshot->tensors, &snapshot->capacity, snapshot->count * sizeof *snapshot->tensors) &&
           reserve(context, &snapshot->names, &snapshot->name_capacity, snapshot->name_bytes) &&
           reserve(context, &snapshot->values, &snapshot->value_capacity, snapshot->value_bytes);
}

/* Texts end at a multiple of eight bytes, so that the floats behind them are aligned in the file. */
static thaw_status pad(thaw_context *context, const char *before, const char *characters, char **padded)
{
    thaw_text text = { .context = context };
    thaw_text_append(&text, "%s%s", before, characters);
    while (text.length % 8 && !text.failed)
        thaw_text_append(&text, "\n");
    return thaw_text_finish(&text, padded);
}

static thaw_status write_texts(thaw_trainer *trainer, char **run, char **state)
{
    thaw_context *context = trainer->model->context;
    char *bare = NULL;
    thaw_status status = thaw_run_describe_data(trainer);
    if (status == THAW_OK)
        status = pad(context, THAW_SNAPSHOT_FORMAT, trainer->description, run);
    if (status == THAW_OK)
        status = thaw_run_state_write(trainer, &bare);
    if (status == THAW_OK)
        status = pad(context, "", bare, state);
    thaw_release(context, bare);
    return status;
}

thaw_status thaw_snapshot_take(thaw_snapshot *snapshot, thaw_trainer *trainer)
{
    thaw_context *context = trainer->model->context;
    char *run = NULL, *state = NULL;
    thaw_trainer_use_weights(trainer);
    thaw_trainer_count_wall(trainer);
    thaw_status status = write_texts(trainer, &run, &state);
    if (status == THAW_OK) {
        visit_all(snapshot, measure, trainer, run, state);
        status = reserve_all(snapshot, context) ? THAW_OK : THAW_OUT_OF_MEMORY;
    }
    if (status == THAW_OK)
        visit_all(snapshot, copy, trainer, run, state);
    else
        snapshot->count = 0;
    thaw_release(context, run);
    thaw_release(context, state);
    return status;
}

thaw_status thaw_snapshot_write(const thaw_snapshot *snapshot, thaw_context *context, const char *path)
{
    return thaw_safetensors_write_checked(context, path, snapshot->tensors, snapshot->count, NULL, 0);
}

void thaw_snapshot_release(thaw_snapshot *snapshot, thaw_context *context)
{
    thaw_release(context, snapshot->tensors);
    thaw_release(context, snapshot->names);
    thaw_release(context, snapshot->values);
    *snapshot = (thaw_snapshot){ 0 };
}
