/* Continues a run from a checkpoint. */
#include <string.h>
#include <thaw/checkpoint.h>

#include "core/allocation.h"
#include "core/threads.h"
#include "graph/model.h"
#include "params/bits.h"
#include "params/optimizer.h"
#include "policy/strategy.h"
#include "train/run_description.h"
#include "train/run_state.h"
#include "train/snapshot.h"

/* Where a tensor goes: into a parameter's values, its frozen slices, or a slot. NULL: what the parameter has there
   goes. */
enum { VALUES = -1, SLICES = -2 };
typedef struct place {
    const thaw_stored_tensor *tensor;
    thaw_parameter *parameter;
    int part; /* the slot, or one of these */
} place;

/* A checkpoint that was read as a whole. */
typedef struct stored {
    thaw_context *context;
    const char *path;
    thaw_safetensors file;
    char *bytes;
    thaw_lines run, state;
    thaw_average *average; /* that it holds; NULL: none */
    size_t used;           /* tensors that this run can use */
    place *places;         /* found before anything changes */
    size_t place_count, place_capacity;
} stored;

/* ---------------------------------------------------------------- reading */

static thaw_status damaged(const stored *from, const char *what)
{
    return thaw_fail(from->context, THAW_BAD_FORMAT, "%s: is no checkpoint of this version: %s", from->path, what);
}

/* A tensor of bytes, or NULL. */
static const thaw_stored_tensor *find_bytes(const stored *from, const char *name)
{
    const thaw_stored_tensor *tensor = thaw_safetensors_find(&from->file, name);
    return tensor && strcmp(tensor->dtype, "U8") == 0 ? tensor : NULL;
}

static thaw_status read_texts(stored *from)
{
    static const char format[] = THAW_SNAPSHOT_FORMAT;
    const size_t skipped = sizeof format - 1;
    const thaw_stored_tensor *run = find_bytes(from, THAW_SNAPSHOT_RUN), *state = find_bytes(from, THAW_SNAPSHOT_STATE);
    if (!run || !state)
        return damaged(from, "it does not describe a run");
    const size_t run_bytes = (size_t)(run->end - run->begin);
    if (run_bytes < skipped || memcmp(from->bytes + run->begin, format, skipped) != 0)
        return damaged(from, "its format is another");
    thaw_status status = thaw_lines_parse(from->context, from->path, from->bytes + run->begin + skipped,
                                          run_bytes - skipped, &from->run);
    if (status == THAW_OK)
        status = thaw_lines_parse(from->context, from->path, from->bytes + state->begin,
                                  (size_t)(state->end - state->begin), &from->state);
    from->used = 3; /* these two, and the checksum */
    return status;
}

static thaw_status open_stored(thaw_context *context, const char *path, stored *from)
{
    *from = (stored){ .context = context, .path = path, .file = { .descriptor = -1 } };
    thaw_status status = thaw_safetensors_open(context, path, &from->file);
    if (status == THAW_OK)
        status = thaw_safetensors_read_checked(&from->file, &from->bytes);
    if (status == THAW_UNSUPPORTED) /* a header that this version cannot have written */
        return thaw_fail(context, THAW_BAD_FORMAT, "%s", thaw_context_message(context));
    return status == THAW_OK ? read_texts(from) : status;
}

static void close_stored(stored *from)
{
    thaw_lines_release(&from->run);
    thaw_lines_release(&from->state);
    thaw_release(from->context, from->bytes);
    thaw_release(from->context, from->places);
    thaw_average_release(from->average);
    if (from->file.context)
        thaw_safetensors_close(&from->file);
}

/* ---------------------------------------------------------------- parameters */

static thaw_status check_tensor(const stored *from, const thaw_stored_tensor *tensor, const thaw_shape *shape,
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

static thaw_status add_place(stored *from, const thaw_stored_tensor *tensor, thaw_parameter *parameter, int part)
{
    place *places =
        thaw_grow(from->context, from->places, &from->place_capacity, from->place_count + 1, sizeof *places);
    if (!places)
        return THAW_OUT_OF_MEMORY;
    from->places = places;
    from->places[from->place_count++] = (place){ tensor, parameter, part };
    from->used += tensor != NULL;
    return THAW_OK;
}

/* Finds the tensor "parameter[detail]"; NULL: there is none. */
static thaw_status find_tensor(const stored *from, const thaw_parameter *parameter, const char *detail,
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

/* The same for memory that the parameter may have. Makes the memory that only the checkpoint has: zero, as it would be
   without it. */
static thaw_status find_detail(stored *from, thaw_parameter *parameter, int part, const char *detail,
                               const thaw_shape *shape, void **memory)
{
    const bool slices = part == SLICES;
    const thaw_stored_tensor *tensor;
    thaw_status status = find_tensor(from, parameter, detail, shape, slices ? "U8" : "F32", &tensor);
    if (status == THAW_OK && tensor && !*memory) {
        *memory = thaw_allocate_array(from->context, thaw_shape_count(shape), slices ? 1 : sizeof(float));
        status = *memory ? THAW_OK : THAW_OUT_OF_MEMORY;
    }
    return status == THAW_OK && *memory ? add_place(from, tensor, parameter, part) : status;
}

static thaw_status find_slot(stored *from, thaw_parameter *parameter, int k)
{
    void *memory = parameter->slot[k];
    const thaw_status status =
        find_detail(from, parameter, k, parameter->group->optimizer->module->slots[k], &parameter->shape, &memory);
    parameter->slot[k] = memory;
    return status;
}

static thaw_status find_slices(stored *from, thaw_parameter *parameter)
{
    const thaw_shape shape = { 1, { (int64_t)(thaw_bit_words(parameter->count) * sizeof(uint64_t)) } };
    void *memory = parameter->frozen_elements;
    const thaw_status status = find_detail(from, parameter, SLICES, THAW_SNAPSHOT_SLICES, &shape, &memory);
    parameter->frozen_elements = memory;
    return status;
}

static bool read_updates(stored *from, const char *kind, const char *name, uint64_t most, uint64_t *updates)
{
    const char *value = thaw_lines_find(&from->state, kind, name, NULL);
    return value && thaw_lines_read_number(&value, updates) && *updates <= most;
}

static thaw_status find_average(stored *from, thaw_parameter *parameter)
{
    const thaw_stored_tensor *tensor = NULL;
    uint64_t updates;
    const thaw_status status = find_tensor(from, parameter, THAW_SNAPSHOT_AVERAGE, &parameter->shape, "F32", &tensor);
    if (status != THAW_OK || !tensor)
        return status;
    if (!read_updates(from, THAW_AVERAGE_OF, parameter->name, from->average->updates, &updates))
        return damaged(from, "the updates of an average cannot be read");
    from->used++;
    return thaw_average_add(from->average, parameter, from->bytes + tensor->begin, updates);
}

/* Reads the averages of a run that has them. */
static thaw_status find_averages(stored *from, thaw_parameter_set *set, double decay)
{
    if (decay == 0)
        return THAW_OK;
    thaw_status status = thaw_average_create(set, decay, &from->average);
    if (status == THAW_OK && !read_updates(from, THAW_AVERAGE_UPDATES, NULL, UINT64_MAX, &from->average->updates))
        status = damaged(from, "the updates of the averages cannot be read");
    for (size_t i = 0; i < set->parameter_count && status == THAW_OK; i++)
        status = find_average(from, set->parameters[i]);
    return status;
}

static thaw_status find_parameter(stored *from, thaw_parameter *parameter)
{
    const thaw_optimizer *optimizer = parameter->group->optimizer;
    const int slots = optimizer ? (int)optimizer->module->slot_count : 0;
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

static thaw_status find_places(stored *from, const thaw_parameter_set *set)
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

static void drop(thaw_context *context, const place *to)
{
    void *memory = to->part == SLICES ? (void *)to->parameter->frozen_elements : to->parameter->slot[to->part];
    thaw_release(context, memory);
    if (to->part == SLICES)
        to->parameter->frozen_elements = NULL;
    else
        to->parameter->slot[to->part] = NULL;
}

static void fill(const stored *from, const place *to)
{
    thaw_parameter *parameter = to->parameter;
    const size_t bytes = (size_t)(to->tensor->end - to->tensor->begin);
    void *memory = to->part == VALUES   ? (void *)parameter->data
                   : to->part == SLICES ? (void *)parameter->frozen_elements
                                        : (void *)parameter->slot[to->part];
    memcpy(memory, from->bytes + to->tensor->begin, bytes);
    if (to->part != VALUES)
        return;
    parameter->absent = false; /* all values are written */
    parameter->version++;
}

/* ---------------------------------------------------------------- the run */

/* Whether the checkpoint has parameters that the model lacks: adapters that rules of the strategy have added. */
static bool lacks_parameters(const stored *from, const thaw_model *model)
{
    size_t parameters = 0;
    for (size_t i = 0; i < from->file.count; i++)
        parameters += !strchr(from->file.tensors[i].name, '[');
    return parameters > model->parameters.parameter_count;
}

static thaw_status apply_rules(thaw_trainer *trainer, const stored *from, int epochs)
{
    const thaw_fit_options *options = &trainer->options;
    thaw_status status = THAW_OK;
    if (!options->strategy || !lacks_parameters(from, trainer->model))
        return THAW_OK;
    for (int epoch = 1; epoch <= epochs && status == THAW_OK; epoch++)
        status = thaw_strategy_run(options->strategy, trainer->model, options->head,
                                   (thaw_part_epoch){ .epoch = epoch, .epochs = options->epochs }, NULL, NULL);
    return status;
}

static thaw_status restore(thaw_trainer *trainer, stored *from)
{
    thaw_parameter_set *set = &trainer->model->parameters;
    int ruled = 0;
    thaw_status status = thaw_run_describe_data(trainer);
    if (status == THAW_OK)
        status = thaw_run_compare(trainer, from->path, &from->run);
    if (status == THAW_OK)
        status = thaw_run_state_rules(trainer, from->path, &from->state, &ruled);
    if (status == THAW_OK)
        status = apply_rules(trainer, from, ruled);
    if (status == THAW_OK)
        status = thaw_run_state_check(trainer, from->path, &from->state);
    if (status == THAW_OK)
        status = find_averages(from, set, trainer->options.average_decay);
    if (status == THAW_OK)
        status = find_places(from, set);
    if (status != THAW_OK)
        return status;
    thaw_average_release(trainer->average);
    trainer->average = from->average;
    from->average = NULL;
    trainer->epoch_result.average_bytes = thaw_average_bytes(trainer->average);
    for (size_t i = 0; i < from->place_count; i++)
        if (from->places[i].tensor)
            fill(from, &from->places[i]);
        else
            drop(from->context, &from->places[i]);
    thaw_run_state_restore(trainer, &from->state);
    thaw_trainer_release_data(trainer); /* a cache of other values, and a batch that was read ahead */
    return THAW_OK;
}

thaw_status thaw_trainer_load(thaw_trainer *trainer, const char *path)
{
    thaw_context *context = trainer->model->context;
    stored from;
    if (!path)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "the path to load a checkpoint from is missing");
    thaw_trainer_use_weights(trainer);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    thaw_status status = open_stored(context, path, &from);
    if (status == THAW_OK)
        status = restore(trainer, &from);
    close_stored(&from);
    thaw_threads_leave(scope);
    return status;
}
