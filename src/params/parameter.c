/* Reads parameters and their groups. Values are in keeping.c. */
#include "params/parameter.h"

#include <math.h>
#include <string.h>

#include "core/allocation.h"
#include "core/context.h"
#include "params/suits.h"

const char *thaw_group_name(const thaw_group *group)
{
    return group->name;
}

bool thaw_group_trainable(const thaw_group *group)
{
    return group->trainable;
}

/* The group's own value, else the optimizer's; NAN if no optimizer reads it. */
static double value_in_effect(const thaw_group *group, double own, const char *name)
{
    const double common = group->optimizer ? thaw_optimizer_get(group->optimizer, name) : NAN;
    return isnan(common) || isnan(own) ? common : own;
}

double thaw_group_learning_rate(const thaw_group *group)
{
    return value_in_effect(group, group->learning_rate, "lr");
}

double thaw_group_weight_decay(const thaw_group *group)
{
    return value_in_effect(group, group->weight_decay, "weight_decay");
}

thaw_optimizer *thaw_group_optimizer(const thaw_group *group)
{
    return group->optimizer;
}

size_t thaw_group_parameter_count(const thaw_group *group)
{
    return group->parameter_count;
}

thaw_parameter *thaw_group_parameter(const thaw_group *group, size_t index)
{
    return index < group->parameter_count ? group->parameters[index] : NULL;
}

const char *thaw_parameter_name(const thaw_parameter *parameter)
{
    return parameter->name;
}

thaw_role thaw_parameter_role(const thaw_parameter *parameter)
{
    return parameter->role;
}

const thaw_shape *thaw_parameter_shape(const thaw_parameter *parameter)
{
    return &parameter->shape;
}

thaw_group *thaw_parameter_group(const thaw_parameter *parameter)
{
    return parameter->group;
}

bool thaw_parameter_trainable(const thaw_parameter *parameter)
{
    if (parameter->role == THAW_STATISTIC)
        return false;
    return parameter->override == THAW_OVERRIDE_NONE ? parameter->group->trainable
                                                     : parameter->override == THAW_OVERRIDE_TRAINABLE;
}

uint64_t thaw_parameter_steps(const thaw_parameter *parameter)
{
    return parameter->steps;
}

const float *thaw_parameter_gradient(const thaw_parameter *parameter)
{
    /* Memory of what was frozen since the last step is released when the next plan is made. */
    return thaw_parameter_trainable(parameter) ? parameter->gradient : NULL;
}

/* The index of a slot, or THAW_MOST_SLOTS. */
static size_t slot_index(const thaw_parameter *parameter, const char *name)
{
    for (size_t i = 0; i < thaw_parameter_slot_count(parameter); i++)
        if (strcmp(thaw_parameter_slot_name(parameter, i), name) == 0)
            return i;
    return THAW_MOST_SLOTS;
}

const float *thaw_parameter_state(const thaw_parameter *parameter, const char *slot)
{
    const size_t index = slot_index(parameter, slot);
    thaw_kept_slot kept;
    return index == THAW_MOST_SLOTS || thaw_parameter_kept_slot(parameter, index, &kept) ? NULL
                                                                                         : parameter->slot[index];
}

static void read_kept(const thaw_kept_slot *kept, thaw_cpu_level level, size_t first, size_t count, float *values)
{
    float block[THAW_CODE_BLOCK];
    for (size_t done = 0; done < count;) {
        const size_t within = (first + done) % THAW_CODE_BLOCK, begin = first + done - within;
        const size_t left = kept->count - begin, whole = left < THAW_CODE_BLOCK ? left : THAW_CODE_BLOCK;
        const size_t taken = whole - within < count - done ? whole - within : count - done;
        thaw_kept_slot_read(kept, level, begin, whole, block);
        memcpy(values + done, block + within, taken * sizeof *values);
        done += taken;
    }
}

bool thaw_parameter_read_state(const thaw_parameter *parameter, const char *slot, size_t first, size_t count,
                               float *values)
{
    const size_t index = slot_index(parameter, slot);
    if (index == THAW_MOST_SLOTS || !parameter->slot[index])
        return false;
    const thaw_shape shape = thaw_parameter_slot_shape(parameter, index);
    const size_t numbers = thaw_shape_count(&shape);
    if (first > numbers || count > numbers - first)
        return false;
    thaw_kept_slot kept;
    if (thaw_parameter_kept_slot(parameter, index, &kept))
        read_kept(&kept, parameter->group->optimizer->context->level, first, count, values);
    else
        memcpy(values, (const float *)parameter->slot[index] + first, count * sizeof *values);
    return true;
}

void thaw_parameter_release_state(thaw_context *context, thaw_parameter *parameter)
{
    for (size_t i = 0; i < THAW_MOST_SLOTS; i++) {
        thaw_release(context, parameter->slot[i]);
        parameter->slot[i] = NULL;
        parameter->slot_steps[i] = 0;
    }
    parameter->steps = 0;
}
