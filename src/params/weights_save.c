/* Saves the parameters of a model, and its notes. */
#include <string.h>
#include <sys/stat.h>
#include <thaw/notes.h>
#include <thaw/weights.h>

#include "core/threads.h"
#include "io/safetensors.h"
#include "params/finite.h"
#include "params/noted_adapters.h"
#include "params/transposed.h"

static void read_parameter(const void *data, size_t first, size_t count, float *values)
{
    thaw_parameter_read_stored(data, first, count, values);
}

/* All that is saved; a host's own optimizer may have written anything. */
static thaw_status check_all_finite(thaw_model *model, const char *path)
{
    thaw_context *context = thaw_model_context(model);
    const size_t count = thaw_model_parameter_count(model);
    const thaw_thread_scope scope = thaw_threads_enter(context);
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        status = thaw_parameter_check_finite(context, thaw_model_parameter(model, i), path);
    thaw_threads_leave(scope);
    return status;
}

/* Without "format", libraries that check the framework refuse the file. Names and layouts are PyTorch's. */
static thaw_status write(thaw_model *model, const char *path, const thaw_named_tensor *tensors, size_t count)
{
    thaw_context *context = thaw_model_context(model);
    const thaw_notes *notes = thaw_model_notes(model);
    char *adapters;
    thaw_status status = thaw_adapters_describe(model, &adapters);
    if (status != THAW_OK)
        return status;
    const thaw_named_text always[] = { { "format", "pt" },
                                       { "thaw.version", thaw_version() },
                                       { "thaw.adapters", adapters } };
    const size_t own = THAW_COUNT(always) - !adapters;
    thaw_named_text *all = thaw_allocate_array(context, own + notes->count, sizeof *all);
    if (!all)
        status = THAW_OUT_OF_MEMORY;
    for (size_t i = 0; all && i < own + notes->count; i++)
        all[i] = i < own ? always[i] : notes->items[i - own];
    if (all)
        status = thaw_safetensors_write(context, path, tensors, count, all, own + notes->count, read_parameter);
    thaw_release(context, all);
    thaw_release(context, adapters);
    return status;
}

static thaw_status save(thaw_model *model, const char *path)
{
    thaw_context *context = thaw_model_context(model);
    const size_t most = thaw_model_parameter_count(model);
    thaw_named_tensor *tensors = thaw_allocate_array(context, most, sizeof *tensors);
    if (!tensors)
        return THAW_OUT_OF_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < most; i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        if (parameter->in_use)
            tensors[count++] = (thaw_named_tensor){ .name = thaw_parameter_name(parameter),
                                                    .shape = thaw_parameter_stored_shape(parameter),
                                                    .data = parameter };
    }
    const thaw_status status = write(model, path, tensors, count);
    thaw_release(context, tensors);
    return status;
}

static thaw_status check_path(thaw_context *context, const char *path)
{
    return path ? THAW_OK : thaw_fail(context, THAW_INVALID_ARGUMENT, "the path to save weights to is missing");
}

thaw_status thaw_weights_save(thaw_model *model, const char *path)
{
    thaw_status status = check_path(thaw_model_context(model), path);
    if (status == THAW_OK)
        status = check_all_finite(model, path);
    return status == THAW_OK ? save(model, path) : status;
}

thaw_status thaw_weights_save_broken(thaw_model *model, const char *path)
{
    struct stat found;
    thaw_context *context = thaw_model_context(model);
    const thaw_status status = check_path(context, path);
    if (status != THAW_OK)
        return status;
    if (lstat(path, &found) == 0)
        return thaw_fail(context, THAW_INVALID_ARGUMENT, "%s exists: weights that are not finite replace no file",
                         path);
    return save(model, path);
}
