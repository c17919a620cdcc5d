/* Freezes parameters by role, and slices of them. */
#include <string.h>

#include "core/context.h"
#include "graph/parameter_list.h"
#include "params/bits.h"
#include "params/expression.h"

/* ---- biases only ---- */

static void train_if_bias(void *argument, thaw_parameter *parameter)
{
    (void)argument;
    const bool bias = parameter->role == THAW_BIAS || parameter->role == THAW_SHIFT;
    parameter->override = bias ? THAW_OVERRIDE_TRAINABLE : THAW_OVERRIDE_FROZEN;
}

static void train_biases(void *argument, thaw_selected selected)
{
    thaw_selected_visit(selected, train_if_bias, argument);
}

thaw_status thaw_bias_only(thaw_model *model, const char *pattern)
{
    return thaw_model_change(model, pattern, train_biases, NULL);
}

/* ---- slices ---- */

typedef struct slice {
    int axis;
    int64_t begin, end;
} slice;

static bool can_train(const thaw_parameter *parameter)
{
    return parameter->role != THAW_STATISTIC;
}

static void mark_slice(thaw_parameter *parameter, const slice *s, bool frozen)
{
    size_t behind = 1;
    for (int i = s->axis + 1; i < parameter->shape.rank; i++)
        behind *= (size_t)parameter->shape.dims[i];
    const size_t dim = (size_t)parameter->shape.dims[s->axis];
    for (size_t i = 0; i < parameter->count; i++) {
        const size_t index = i / behind % dim;
        if (index >= (size_t)s->begin && index < (size_t)s->end)
            thaw_set_bit(parameter->frozen_elements, i, frozen);
    }
}

static void forget_slices(thaw_context *context, thaw_parameter *parameter)
{
    thaw_release(context, parameter->frozen_elements);
    parameter->frozen_elements = NULL;
}

/* If every element is frozen, the parameter is frozen; if none is, it is not. */
static void drop_redundant_mask(thaw_context *context, thaw_parameter *parameter)
{
    const size_t count = thaw_count_bits(parameter->frozen_elements, parameter->count);
    if (count == parameter->count) {
        parameter->override = THAW_OVERRIDE_FROZEN;
        thaw_log(context, THAW_LOG_WARNING, "%s: its slices freeze every element, so it is frozen as a whole",
                 parameter->name);
    }
    if (count == 0 || count == parameter->count)
        forget_slices(context, parameter);
}

/* Whether the slice exists in every parameter, and allocates the marks. */
static thaw_status prepare(thaw_context *context, const thaw_parameter_list *list, const slice *s)
{
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < list->count && status == THAW_OK; i++)
        status = thaw_slice_check(context, &list->items[i]->shape, s->axis, s->begin, s->end);
    for (size_t i = 0; i < list->count && status == THAW_OK; i++) {
        thaw_parameter *parameter = list->items[i];
        if (!parameter->frozen_elements)
            parameter->frozen_elements =
                thaw_allocate_array(context, thaw_bit_words(parameter->count), sizeof(uint64_t));
        status = parameter->frozen_elements ? THAW_OK : THAW_OUT_OF_MEMORY;
    }
    for (size_t i = 0; i < list->count && status != THAW_OK; i++)
        if (list->items[i]->frozen_elements &&
            thaw_count_bits(list->items[i]->frozen_elements, list->items[i]->count) == 0)
            forget_slices(context, list->items[i]);
    return status;
}

static thaw_status change_slice(thaw_model *model, const char *pattern, slice s, bool frozen)
{
    thaw_parameter_list list;
    thaw_status status = thaw_list_parameters(model, pattern, can_train, "no parameter that trains", &list);
    if (status == THAW_OK)
        status = prepare(model->context, &list, &s);
    for (size_t i = 0; i < list.count && status == THAW_OK; i++) {
        mark_slice(list.items[i], &s, frozen);
        drop_redundant_mask(model->context, list.items[i]);
    }
    model->parameters.revision += status == THAW_OK;
    thaw_release(model->context, list.items);
    return status;
}

thaw_status thaw_freeze_slice(thaw_model *model, const char *pattern, int axis, int64_t begin, int64_t end)
{
    return change_slice(model, pattern, (slice){ axis, begin, end }, true);
}

thaw_status thaw_unfreeze_slice(thaw_model *model, const char *pattern, int axis, int64_t begin, int64_t end)
{
    return change_slice(model, pattern, (slice){ axis, begin, end }, false);
}
