#include "params/view.h"

#include <string.h>

#include "core/allocation.h"
#include "params/keeping.h"
#include "params/suits.h"

static bool has_view(const thaw_parameter *parameter)
{
    const thaw_optimizer_module *module = thaw_parameter_module(parameter);
    return module && module->view && parameter->steps > 0 && !parameter->removed;
}

/* Versions are as those of averages (train/average.c): of no values before. */
static thaw_status put_in(thaw_context *context, thaw_parameter *parameter, uint64_t version)
{
    double values[THAW_MAX_HYPERPARAMETERS];
    float *trained = thaw_allocate_raw(context, parameter->count * sizeof(float));
    if (!trained)
        return THAW_OUT_OF_MEMORY;
    thaw_parameter_bring_back(parameter);
    memcpy(trained, parameter->data, parameter->count * sizeof(float));
    thaw_parameter_values(parameter, values);
    thaw_update update = {
        .count = parameter->count, .parameter = trained, .hyperparameter = values, .step = parameter->steps
    };
    for (size_t k = 0; k < THAW_MAX_SLOTS; k++)
        update.slot[k] = parameter->slot[k];
    memcpy(update.slot_step, parameter->slot_steps, sizeof update.slot_step);
    thaw_parameter_module(parameter)->view(&update, parameter->data);
    parameter->trained = trained;
    parameter->trained_version = parameter->version;
    parameter->version += version;
    return THAW_OK;
}

static void put_back(thaw_parameter_set *set)
{
    for (size_t i = 0; i < set->parameter_count; i++) {
        thaw_parameter *parameter = set->parameters[i];
        if (!parameter->trained)
            continue;
        thaw_parameter_bring_back(parameter);
        if (!parameter->removed) {
            memcpy(parameter->data, parameter->trained, parameter->count * sizeof(float));
            parameter->version = parameter->trained_version;
        }
        thaw_release(set->context, parameter->trained);
        parameter->trained = NULL;
    }
    set->finite = 0;
}

thaw_status thaw_set_use_view(thaw_parameter_set *set, bool use)
{
    if (use == set->viewed)
        return THAW_OK;
    const uint64_t version = use ? ++set->absences << 32 : 0;
    thaw_status status = THAW_OK;
    for (size_t i = 0; use && i < set->parameter_count && status == THAW_OK; i++)
        if (has_view(set->parameters[i]))
            status = put_in(set->context, set->parameters[i], version);
    if (!use || status != THAW_OK)
        put_back(set);
    set->viewed = use && status == THAW_OK;
    return status;
}

bool thaw_set_views_frozen(const thaw_parameter_set *set)
{
    for (size_t i = 0; i < set->parameter_count; i++)
        if (has_view(set->parameters[i]) && !thaw_parameter_trainable(set->parameters[i]))
            return true;
    return false;
}
