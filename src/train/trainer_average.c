/* A trainer's averaged weights: using, saving and merging them. */
#include <math.h>
#include <string.h>
#include <thaw/combine.h>
#include <thaw/weights.h>

#include "graph/model.h"
#include "params/view.h"
#include "train/average.h"
#include "train/trainer.h"

thaw_status thaw_trainer_use_average(thaw_trainer *trainer, bool use)
{
    if (trainer->average)
        return thaw_average_use(trainer->average, use);
    return thaw_fail(trainer->model->context, THAW_INVALID_ARGUMENT, "the run averages no weights: its decay is 0");
}

void thaw_trainer_use_weights(const thaw_trainer *trainer)
{
    if (trainer->average)
        thaw_average_use(trainer->average, false);
    thaw_set_use_view(&trainer->model->parameters, false);
}

thaw_status thaw_trainer_save_average(thaw_trainer *trainer, const char *path)
{
    const bool used = trainer->average && trainer->average->in_use;
    thaw_status status = thaw_trainer_use_average(trainer, true);
    if (status == THAW_OK)
        status = thaw_weights_save(trainer->model, path);
    if (!used)
        thaw_trainer_use_weights(trainer);
    return status;
}

/* ---------------------------------------------------------------- merging */

/* What the bindings give with the averages in the model, one parameter's values after another's. */
static thaw_status evaluate_bindings(thaw_average *average, float *const *values)
{
    const thaw_parameter_set *set = average->set;
    thaw_status status = thaw_average_use(average, true);
    for (size_t i = 0; i < set->parameter_count && status == THAW_OK; i++) {
        const thaw_parameter *parameter = set->parameters[i];
        if (values[i])
            status = thaw_expression_evaluate(parameter->bound, &(thaw_tensor){ .dtype = THAW_F32,
                                                                                .shape = parameter->shape,
                                                                                .data = values[i] });
    }
    thaw_average_use(average, false);
    return status;
}

static thaw_status take_merged(thaw_average *average, thaw_parameter *parameter, const float *values)
{
    for (size_t i = 0; i < average->count; i++)
        if (average->entries[i].parameter == parameter) {
            memcpy(average->entries[i].values, values, parameter->count * sizeof *values);
            average->entries[i].updates = average->updates;
            return THAW_OK;
        }
    return thaw_average_add(average, parameter, values, average->updates);
}

/* `values`, `parameters`: of each bound parameter; NULL for others. */
static thaw_status merge(thaw_trainer *trainer, const char *pattern, float **values, thaw_parameter **parameters)
{
    thaw_context *context = trainer->model->context;
    const thaw_parameter_set *set = &trainer->model->parameters;
    const size_t count = set->parameter_count;
    for (size_t i = 0; i < count; i++) {
        if (!set->parameters[i]->bound)
            continue;
        parameters[i] = set->parameters[i];
        values[i] = thaw_allocate_array(context, parameters[i]->count, sizeof(float));
        if (!values[i])
            return THAW_OUT_OF_MEMORY;
    }
    thaw_status status = evaluate_bindings(trainer->average, values);
    if (status == THAW_OK)
        status = thaw_merge(trainer->model, pattern);
    for (size_t i = 0; i < count && status == THAW_OK; i++)
        if (parameters[i] && !parameters[i]->bound)
            status = take_merged(trainer->average, parameters[i], values[i]);
    return status;
}

thaw_status thaw_trainer_merge(thaw_trainer *trainer, const char *pattern)
{
    thaw_context *context = trainer->model->context;
    const size_t count = trainer->model->parameters.parameter_count;
    if (trainer->average)
        thaw_average_use(trainer->average, false);
    if (!trainer->average || trainer->average->updates == 0)
        return thaw_merge(trainer->model, pattern);
    float **values = thaw_allocate_array(context, count, sizeof *values);
    thaw_parameter **parameters = thaw_allocate_array(context, count, sizeof *parameters);
    thaw_status status = THAW_OUT_OF_MEMORY;
    if (values && parameters)
        status = merge(trainer, pattern, values, parameters);
    for (size_t i = 0; values && i < count; i++)
        thaw_release(context, values[i]);
    thaw_release(context, values);
    thaw_release(context, parameters);
    return status;
}
