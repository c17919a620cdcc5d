/* Ready-made expressions for many weights at once: low-rank adapters, scaling adapters, and masks. */
#include <math.h>
#include <stdio.h>

#include "graph/parameter_list.h"
#include "params/expression.h"
#include "params/low_rank.h"
#include "params/optimizer.h"

enum { NAME_BYTES = 512 };

/* What each call does for one weight: makes the expression that it will be bound to. */
typedef struct recipe {
    thaw_status (*make)(const struct recipe *recipe, thaw_model *model, thaw_parameter *weight, thaw_expression *now,
                        thaw_expression **result);
    bool freezes;
    int64_t rank;
    double alpha;
    int axis;
    const thaw_tensor *mask;
} recipe;

static bool is_weight(const thaw_parameter *parameter)
{
    return parameter->role == THAW_WEIGHT && !parameter->group->added;
}

static bool is_matrix(const thaw_parameter *parameter)
{
    return is_weight(parameter) && parameter->shape.rank >= 2;
}

/* The weight that its layer uses now. */
static thaw_expression *current(const thaw_parameter *weight)
{
    return weight->bound ? weight->bound : weight->stored;
}

static void freeze(void *argument, thaw_expression *expression)
{
    (void)argument;
    if (expression->parameter)
        expression->parameter->override = THAW_OVERRIDE_FROZEN;
}

/* Removes all that was added since: groups and expressions beyond these counts. */
static void take_back(thaw_parameter_set *set, size_t group_count, size_t expression_count)
{
    while (set->expression_count > expression_count)
        thaw_expression_release(set->expressions[--set->expression_count]);
    while (set->group_count > group_count)
        thaw_set_drop_group(set);
    thaw_set_mark_use(set);
}

/* Makes all expressions, then binds them: an error changes nothing. */
static thaw_status apply(thaw_model *model, const recipe *applied, const thaw_parameter_list *list)
{
    thaw_parameter_set *set = &model->parameters;
    const size_t groups_before = set->group_count, expressions_before = set->expression_count;
    thaw_expression **made = thaw_allocate_array(model->context, list->count, sizeof(thaw_expression *));
    thaw_status status = made ? THAW_OK : THAW_OUT_OF_MEMORY;
    size_t bound = 0;
    for (size_t i = 0; i < list->count && status == THAW_OK; i++)
        status = applied->make(applied, model, list->items[i], current(list->items[i]), &made[i]);
    for (; bound < list->count && status == THAW_OK; bound += status == THAW_OK) {
        thaw_parameter *weight = list->items[bound];
        thaw_expression *before = current(weight);
        status = thaw_set_bind(set, weight, made[bound]);
        made[bound] = before;
    }
    for (size_t i = 0; i < bound; i++) {
        if (status != THAW_OK)
            list->items[i]->bound = made[i] == list->items[i]->stored ? NULL : made[i];
        else if (applied->freezes)
            thaw_expression_visit(made[i], thaw_set_notes(set), freeze, NULL);
    }
    if (status != THAW_OK)
        take_back(set, groups_before, expressions_before);
    thaw_release(model->context, made);
    return status;
}

static thaw_status apply_by_pattern(thaw_model *model, const char *pattern, const recipe *applied,
                                    bool (*accept)(const thaw_parameter *parameter), const char *what)
{
    thaw_parameter_list list;
    thaw_status status = thaw_list_parameters(model, pattern, accept, what, &list);
    if (status == THAW_OK)
        status = apply(model, applied, &list);
    thaw_release(model->context, list.items);
    return status;
}

/* ---- parameters of adapters ---- */

/* A group "<weight>.<suffix>" with the optimizer of the weight's group. */
static thaw_status add_group(thaw_parameter_set *set, const thaw_parameter *weight, const char *suffix,
                             thaw_group **group)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s.%s", weight->name, suffix);
    const thaw_status status = thaw_set_add_group(set, name, group);
    if (status != THAW_OK)
        return status;
    (*group)->added = true;
    if (weight->group->optimizer)
        (*group)->optimizer = thaw_optimizer_retain(weight->group->optimizer);
    return THAW_OK;
}

/* A parameter "<weight>.<suffix>", as an expression. */
static thaw_status add_parameter(thaw_parameter_set *set, thaw_group *group, const thaw_parameter *weight,
                                 const thaw_parameter_specification *specification, thaw_expression **result)
{
    char name[NAME_BYTES];
    thaw_parameter *parameter;
    snprintf(name, sizeof name, "%s.%s", weight->name, specification->name);
    const thaw_status status =
        thaw_set_add_named(set, group, name, specification, thaw_set_random_node(set), &parameter);
    if (status != THAW_OK)
        return status;
    *result = parameter->stored;
    return THAW_OK;
}

/* ---- low rank ---- */

static thaw_status make_low_rank(const recipe *r, thaw_model *model, thaw_parameter *weight, thaw_expression *now,
                                 thaw_expression **result)
{
    thaw_parameter_set *set = &model->parameters;
    const int64_t outputs = weight->shape.dims[0], inputs = (int64_t)weight->count / outputs;
    const thaw_parameter_specification down = {
        .name = "lora_A",
        .role = THAW_WEIGHT,
        .shape = { 2, { r->rank, inputs } },
        .fan_in = (double)inputs, /* kaiming_uniform with a = sqrt 5: within 1 / sqrt(fan_in) */
    };
    const thaw_parameter_specification up = {
        .name = "lora_B", .role = THAW_WEIGHT, .shape = { 2, { outputs, r->rank } }, .initializer = THAW_INITIAL_ZERO
    };
    thaw_group *group;
    thaw_expression *a, *b;
    thaw_status status = thaw_expression_check_rank(model->context, &weight->shape, r->rank);
    if (status == THAW_OK)
        status = add_group(set, weight, "lora", &group);
    if (status == THAW_OK)
        status = add_parameter(set, group, weight, &down, &a);
    if (status == THAW_OK)
        status = add_parameter(set, group, weight, &up, &b);
    return status == THAW_OK ? thaw_expression_low_rank(now, b, a, r->alpha / (double)r->rank, result) : status;
}

thaw_status thaw_lora(thaw_model *model, const char *pattern, int64_t rank, double alpha)
{
    if (rank < 1)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "adapters: rank is %lld, must be at least 1",
                         (long long)rank);
    if (!isfinite(alpha))
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT, "adapters: alpha is %g, must be finite", alpha);
    const recipe applied = { .make = make_low_rank, .freezes = true, .rank = rank, .alpha = alpha };
    return apply_by_pattern(model, pattern, &applied, is_matrix, "no weight matrix of a layer");
}

/* ---- scaling ---- */

static thaw_status make_scaling(const recipe *r, thaw_model *model, thaw_parameter *weight, thaw_expression *now,
                                thaw_expression **result)
{
    thaw_parameter_specification factors = {
        .name = "ia3_l", .role = THAW_SCALE, .shape = weight->shape, .initializer = THAW_INITIAL_ONE
    };
    for (int i = 0; i < weight->shape.rank; i++)
        if (i != r->axis)
            factors.shape.dims[i] = 1;
    thaw_group *group;
    thaw_expression *l;
    thaw_status status = add_group(&model->parameters, weight, "ia3", &group);
    if (status == THAW_OK)
        status = add_parameter(&model->parameters, group, weight, &factors, &l);
    return status == THAW_OK ? thaw_expression_multiply(now, l, result) : status;
}

thaw_status thaw_scale_adapter(thaw_model *model, const char *pattern, int axis)
{
    if (axis != 0 && axis != 1)
        return thaw_fail(model->context, THAW_INVALID_ARGUMENT,
                         "adapters: axis is %d, must be 0 for outputs or 1 for inputs", axis);
    const recipe applied = { .make = make_scaling, .freezes = true, .axis = axis };
    return apply_by_pattern(model, pattern, &applied, is_matrix, "no weight matrix of a layer");
}

/* ---- masks ---- */

/* The mask of the elements that are not 0 now. */
static thaw_status mask_as_is(thaw_model *model, thaw_expression *now, thaw_expression **result)
{
    float *values = thaw_allocate_array(model->context, now->count, sizeof *values);
    if (!values)
        return THAW_OUT_OF_MEMORY;
    const thaw_tensor tensor = { .dtype = THAW_F32, .shape = now->shape, .data = values };
    thaw_status status = thaw_expression_evaluate(now, &tensor);
    for (size_t i = 0; i < now->count; i++)
        values[i] = values[i] != 0;
    if (status == THAW_OK)
        status = thaw_expression_mask(now, &tensor, result);
    thaw_release(model->context, values);
    return status;
}

static thaw_status make_mask(const recipe *r, thaw_model *model, thaw_parameter *weight, thaw_expression *now,
                             thaw_expression **result)
{
    (void)weight;
    return r->mask ? thaw_expression_mask(now, r->mask, result) : mask_as_is(model, now, result);
}

thaw_status thaw_mask(thaw_model *model, const char *pattern, const thaw_tensor *mask)
{
    const recipe applied = { .make = make_mask, .mask = mask };
    return apply_by_pattern(model, pattern, &applied, is_weight, "no weight of a layer");
}
