#include "params/weights.h"

#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "core/enumeration.h"
#include "core/number.h"
#include "core/pattern.h"
#include "core/text.h"
#include "params/foreign_names.h"
#include "params/parameter.h"
#include "params/position_grid.h"
#include "params/tied.h"
#include "params/transposed.h"

typedef struct pair {
    thaw_parameter *parameter;
    const thaw_stored_tensor *tensor;
    int64_t side; /* of a grid of positions that is resampled; 0: the shapes are equal */
} pair;

typedef struct load {
    thaw_context *context;
    thaw_model *model;
    thaw_load_options options;
    thaw_safetensors file;
    pair *pairs; /* what will be loaded */
    size_t pair_count;
    size_t selected; /* parameters that the pattern selects, in use or not */
    pair misshaped;  /* the first of them */
    thaw_text missing_names, unexpected_names, misshaped_names;
    thaw_load_result result;
} load;

static bool is_selected(const load *job, const thaw_parameter *parameter)
{
    return !job->options.pattern || thaw_parameter_selected(parameter, job->options.pattern);
}

static void list(thaw_text *names, size_t *count, const char *name)
{
    thaw_text_append(names, "%s%s", *count ? ", " : "", name);
    ++*count;
}

/* Whether the tensor has the parameter's shape, or can be resampled to it. */
static bool fits(pair *found)
{
    const thaw_shape shape = thaw_parameter_stored_shape(found->parameter);
    if (thaw_shape_equal(&found->tensor->shape, &shape))
        return true;
    found->side = thaw_position_grid_side(found->parameter, &found->tensor->shape);
    return found->side != 0;
}

static thaw_status match_parameters(load *job)
{
    const size_t count = thaw_model_parameter_count(job->model);
    job->pairs = thaw_allocate_array(job->context, count, sizeof *job->pairs);
    if (!job->pairs)
        return THAW_OUT_OF_MEMORY;
    for (size_t i = 0; i < count; i++) {
        thaw_parameter *parameter = thaw_model_parameter(job->model, i);
        if (!is_selected(job, parameter))
            continue;
        job->selected++;
        if (!parameter->in_use)
            continue;
        const char *name = thaw_parameter_name(parameter);
        pair found = { .parameter = parameter, .tensor = thaw_safetensors_find(&job->file, name) };
        if (!found.tensor) {
            list(&job->missing_names, &job->result.missing, name);
        } else if (!fits(&found)) {
            if (!job->misshaped.parameter)
                job->misshaped = found;
            list(&job->misshaped_names, &job->result.misshaped, name);
        } else {
            job->pairs[job->pair_count++] = found;
        }
    }
    return THAW_OK;
}

/* PyTorch stores a count of batches with running statistics; nothing here reads it. */
static bool is_batch_counter(const load *job, const char *name)
{
    static const char counter[] = ".num_batches_tracked", beside[] = ".running_mean";
    char statistic[256];
    const size_t length = strlen(name), stem = length - (sizeof counter - 1);
    if (length < sizeof counter || strcmp(name + stem, counter) != 0 || stem + sizeof beside > sizeof statistic)
        return false;
    memcpy(statistic, name, stem);
    memcpy(statistic + stem, beside, sizeof beside);
    return thaw_model_find_parameter(job->model, statistic) != NULL;
}

/* The numbers 0, 1, 2 ... that older files of transformers have for BERT and its like. */
static bool is_position_ids(const char *name)
{
    static const char ids[] = "embeddings.position_ids";
    const size_t length = strlen(name);
    return length >= sizeof ids - 1 && strcmp(name + length - (sizeof ids - 1), ids) == 0;
}

/* An adapter that no layer uses would lose its values. A layer's own tensor that a binding replaces is skipped:
   PyTorch writes tied weights under each of their names. */
static bool is_expected(const load *job, const char *name)
{
    const thaw_parameter *parameter = thaw_model_find_parameter(job->model, name);
    return parameter ? parameter->in_use || !parameter->group->added
                     : is_batch_counter(job, name) || is_position_ids(name);
}

/* Whether the pattern selects a tensor, which need not be in the model, by its name or that of its group. */
static bool is_sought(const load *job, const char *name)
{
    const char *pattern = job->options.pattern, *dot = strrchr(name, '.');
    char group[256];
    if (!pattern || thaw_pattern_matches(pattern, name))
        return true;
    const size_t length = dot ? (size_t)(dot - name) : sizeof group;
    if (length >= sizeof group)
        return false;
    memcpy(group, name, length);
    group[length] = '\0';
    return thaw_pattern_matches(pattern, group);
}

static void match_tensors(load *job)
{
    for (size_t i = 0; i < job->file.count; i++)
        if (is_sought(job, job->file.tensors[i].name) && !is_expected(job, job->file.tensors[i].name))
            list(&job->unexpected_names, &job->result.unexpected, job->file.tensors[i].name);
}

static thaw_status finish_lists(load *job)
{
    const thaw_status missing = thaw_text_finish(&job->missing_names, &job->result.missing_names);
    const thaw_status unexpected = thaw_text_finish(&job->unexpected_names, &job->result.unexpected_names);
    const thaw_status misshaped = thaw_text_finish(&job->misshaped_names, &job->result.misshaped_names);
    return missing == THAW_OK && unexpected == THAW_OK && misshaped == THAW_OK ? THAW_OK : THAW_OUT_OF_MEMORY;
}

static thaw_status refuse_shape(const load *job)
{
    char stored[80], wanted[80];
    const thaw_shape shape = thaw_parameter_stored_shape(job->misshaped.parameter);
    thaw_enumeration all = { 0 };
    thaw_enumerate_joined(&all, job->result.misshaped_names);
    return thaw_fail(job->context, THAW_SHAPE_MISMATCH,
                     "%s: tensor \"%.100s\" has shape %s, must have %s; all wrong shapes: %s", job->file.path,
                     job->misshaped.tensor->name,
                     thaw_shape_format(&job->misshaped.tensor->shape, stored, sizeof stored),
                     thaw_shape_format(&shape, wanted, sizeof wanted), thaw_enumerated(&all));
}

/* Whether the file's content may be loaded. */
static thaw_status judge(const load *job)
{
    const thaw_load_result *result = &job->result;
    if (job->options.pattern && job->selected == 0)
        return thaw_fail(job->context, THAW_NOT_FOUND, "pattern \"%.200s\" matches no group and no parameter",
                         job->options.pattern);
    if ((result->missing && !job->options.allow_missing) || (result->unexpected && !job->options.allow_unexpected)) {
        thaw_enumeration missing = { 0 }, unexpected = { 0 };
        thaw_enumerate_joined(&missing, result->missing ? result->missing_names : "nothing");
        thaw_enumerate_joined(&unexpected, result->unexpected ? result->unexpected_names : "nothing");
        return thaw_fail(job->context, THAW_NOT_FOUND, "%s: missing from the file: %s; unexpected in the file: %s",
                         job->file.path, thaw_enumerated(&missing), thaw_enumerated(&unexpected));
    }
    if (result->misshaped && !job->options.allow_misshaped)
        return refuse_shape(job);
    return THAW_OK;
}

static thaw_status read_finite(const load *job, const thaw_stored_tensor *tensor, float *values)
{
    const thaw_status status = thaw_safetensors_read(&job->file, tensor, values);
    if (status != THAW_OK)
        return status;
    const size_t count = thaw_shape_count(&tensor->shape);
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return thaw_fail(job->context, THAW_NOT_FINITE, "%s: element %zu of tensor \"%.100s\" is %f",
                             job->file.path, i, tensor->name, thaw_printed((double)values[i]));
    return THAW_OK;
}

static thaw_status read_resampled(const load *job, const pair *found, float *values)
{
    float *stored = thaw_allocate_array(job->context, thaw_shape_count(&found->tensor->shape), sizeof *stored);
    if (!stored)
        return THAW_OUT_OF_MEMORY;
    thaw_status status = read_finite(job, found->tensor, stored);
    if (status == THAW_OK)
        status = thaw_position_grid_resample(job->context, found->parameter, found->side, stored, values);
    thaw_release(job->context, stored);
    return status;
}

/* Reads everything before writing anything: the model changes as a whole or not at all. */
static thaw_status read_then_write(load *job)
{
    size_t count = 0;
    for (size_t i = 0; i < job->pair_count; i++)
        count += job->pairs[i].parameter->count;
    float *values = thaw_allocate_raw(job->context, count * sizeof *values);
    thaw_status status = values ? THAW_OK : THAW_OUT_OF_MEMORY;
    float *next = values;
    for (size_t i = 0; i < job->pair_count && status == THAW_OK; i++) {
        const pair *found = &job->pairs[i];
        status = found->side ? read_resampled(job, found, next) : read_finite(job, found->tensor, next);
        next += found->parameter->count;
    }
    next = values;
    for (size_t i = 0; i < job->pair_count && status == THAW_OK; i++) {
        thaw_parameter_write_stored(job->pairs[i].parameter, next);
        next += job->pairs[i].parameter->count;
    }
    thaw_release(job->context, values);
    return status;
}

static thaw_status load_from_file(load *job)
{
    thaw_status status = match_parameters(job);
    match_tensors(job);
    const thaw_status listed = finish_lists(job);
    if (status == THAW_OK)
        status = listed;
    if (status == THAW_OK)
        status = judge(job);
    if (status == THAW_OK)
        status = thaw_tied_compare(job->model, &job->file);
    if (status == THAW_OK)
        status = read_then_write(job);
    if (status == THAW_OK)
        job->result.loaded = job->pair_count;
    thaw_release(job->context, job->pairs);
    return status;
}

static thaw_status rename_all(load *job)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < job->options.renaming_count && status == THAW_OK; i++)
        status = thaw_safetensors_rename(&job->file, job->options.renamings[i].prefix,
                                         job->options.renamings[i].replacement);
    return status;
}

thaw_status thaw_weights_load_adapted(thaw_model *model, const char *path, const thaw_weights_adaptation *adaptation,
                                      const thaw_load_options *options, thaw_load_result *result)
{
    load job = { .context = thaw_model_context(model), .model = model };
    job.missing_names.context = job.unexpected_names.context = job.misshaped_names.context = job.context;
    if (options)
        job.options = *options;
    if (result)
        *result = job.result;
    const char *error = job.options.pattern ? thaw_pattern_error(job.options.pattern) : NULL;
    if (error)
        return thaw_fail(job.context, THAW_INVALID_ARGUMENT, "pattern \"%.200s\": %s", job.options.pattern, error);
    if (!path)
        return thaw_fail(job.context, THAW_INVALID_ARGUMENT, "the path to load weights from is missing");
    thaw_status status = thaw_safetensors_open(job.context, path, &job.file);
    if (status != THAW_OK)
        return status;
    if (adaptation)
        status = adaptation->adapt(adaptation->user, &job.file);
    if (status == THAW_OK)
        status = rename_all(&job);
    if (status == THAW_OK)
        status = thaw_foreign_names_replace(model, &job.file);
    const bool named = status == THAW_OK;
    if (named)
        status = load_from_file(&job);
    thaw_safetensors_close(&job.file);
    if (result && named && (status == THAW_OK || status == THAW_NOT_FOUND || status == THAW_SHAPE_MISMATCH))
        *result = job.result;
    else
        thaw_load_result_destroy(job.context, &job.result);
    return status;
}

thaw_status thaw_weights_load(thaw_model *model, const char *path, const thaw_load_options *options,
                              thaw_load_result *result)
{
    return thaw_weights_load_adapted(model, path, NULL, options, result);
}

void thaw_load_result_destroy(thaw_context *context, thaw_load_result *result)
{
    thaw_release(context, result->missing_names);
    thaw_release(context, result->unexpected_names);
    thaw_release(context, result->misshaped_names);
    *result = (thaw_load_result){ 0 };
}
