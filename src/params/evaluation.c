/* Values of expressions: where they are stored, and when they are computed. */
#include "core/allocation.h"
#include "core/threads.h"
#include "params/expression.h"
#include "params/keeping.h"

#include <string.h>

bool thaw_expression_has_memory(const thaw_expression *expression)
{
    const thaw_operation *operation = expression->operation;
    size_t offset;
    return operation && !(operation->aliases && operation->aliases(expression, &offset));
}

thaw_status thaw_expression_prepare(thaw_expression *expression)
{
    const thaw_operation *operation = expression->operation;
    if (!operation)
        return THAW_OK;
    const thaw_status status = operation->prepare ? operation->prepare(expression) : THAW_OK;
    if (status != THAW_OK || expression->value)
        return status;
    if (!thaw_expression_has_memory(expression)) {
        size_t offset;
        operation->aliases(expression, &offset);
        expression->value = thaw_operand(expression, 0)->value + offset;
        return THAW_OK;
    }
    expression->value = thaw_allocate_raw(thaw_expression_context(expression), expression->count * sizeof(float));
    expression->owns_value = expression->value != NULL;
    expression->version = 0;
    return expression->value ? THAW_OK : THAW_OUT_OF_MEMORY;
}

thaw_status thaw_expression_measure_scratch(const thaw_expression *expression, size_t *bytes)
{
    const thaw_operation *operation = expression->operation;
    *bytes = 0;
    return operation && operation->measure_scratch ? operation->measure_scratch(expression, bytes) : THAW_OK;
}

/* Counts changes of a stored tensor, or of everything that an expression is computed from. */
static uint64_t version_of(const thaw_expression *expression)
{
    return expression->operation ? expression->version : expression->parameter ? expression->parameter->version : 1;
}

uint64_t thaw_expression_leaf_version(const thaw_expression *expression)
{
    uint64_t version = 0;
    for (size_t k = 0; k < expression->operand_count; k++) {
        const thaw_parameter *parameter = thaw_operand(expression, k)->parameter;
        version += parameter ? parameter->version : 0;
    }
    return version;
}

static uint64_t sum_versions(const thaw_expression *expression)
{
    uint64_t version = 1;
    for (size_t k = 0; k < expression->operand_count; k++)
        version += version_of(thaw_operand(expression, k));
    return version;
}

static thaw_status compute(thaw_expression *expression, uint64_t version, void *scratch)
{
    const thaw_status status = expression->owns_value ? expression->operation->evaluate(expression, scratch) : THAW_OK;
    expression->version = status == THAW_OK ? version : 0;
    return status;
}

thaw_status thaw_expression_refresh(thaw_expression *expression, void *scratch)
{
    if (!expression->operation)
        return THAW_OK;
    const uint64_t version = sum_versions(expression);
    if (version == expression->version)
        return THAW_OK;
    return compute(expression, version, scratch);
}

thaw_status thaw_expression_compute(thaw_expression *expression, void *scratch)
{
    return compute(expression, sum_versions(expression), scratch);
}

static void release_value(thaw_expression *expression)
{
    if (expression->owns_value)
        thaw_release(thaw_expression_context(expression), expression->value);
    expression->value = NULL;
    expression->owns_value = false;
    expression->version = 0;
}

void thaw_set_release_values(thaw_parameter_set *set)
{
    for (size_t i = 0; i < set->expression_count; i++)
        if (set->expressions[i]->operation)
            release_value(set->expressions[i]);
}

/* ---- for callers outside ---- */

/* A walk that stops at the first failure. */
typedef struct computation {
    thaw_status status;
    size_t scratch_bytes;
    void *scratch;
} computation;

static void prepare(void *argument, thaw_expression *expression)
{
    computation *c = argument;
    if (!expression->operation && expression->parameter)
        thaw_parameter_bring_back(expression->parameter);
    if (c->status == THAW_OK)
        c->status = thaw_expression_prepare(expression);
    size_t bytes = 0;
    if (c->status == THAW_OK)
        c->status = thaw_expression_measure_scratch(expression, &bytes);
    c->scratch_bytes = bytes > c->scratch_bytes ? bytes : c->scratch_bytes;
}

static void refresh(void *argument, thaw_expression *expression)
{
    computation *c = argument;
    if (c->status == THAW_OK)
        c->status = thaw_expression_refresh(expression, c->scratch);
}

static thaw_status compute_all(thaw_expression *root, float *values)
{
    thaw_context *context = thaw_expression_context(root);
    computation c = { .status = THAW_OK };
    thaw_expression_visit(root, thaw_set_notes(root->set), prepare, &c);
    if (c.status == THAW_OK && c.scratch_bytes) {
        c.scratch = thaw_allocate(context, c.scratch_bytes);
        c.status = c.scratch ? THAW_OK : THAW_OUT_OF_MEMORY;
    }
    if (c.status == THAW_OK)
        thaw_expression_visit(root, thaw_set_notes(root->set), refresh, &c);
    thaw_release(context, c.scratch);
    if (c.status == THAW_OK)
        memcpy(values, thaw_expression_target(root)->value, root->count * sizeof(float));
    return c.status;
}

thaw_status thaw_expression_evaluate(thaw_expression *expression, const thaw_tensor *values)
{
    thaw_context *context = thaw_expression_context(expression);
    if (values->dtype != THAW_F32 || !values->data || !thaw_shape_equal(&values->shape, &expression->shape)) {
        char wanted[80];
        return thaw_fail(context, THAW_SHAPE_MISMATCH, "the result of an expression must be floats of shape %s",
                         thaw_shape_format(&expression->shape, wanted, sizeof wanted));
    }
    const thaw_thread_scope scope = thaw_threads_enter(context);
    const thaw_status status = compute_all(expression, values->data);
    thaw_threads_leave(scope);
    return status;
}
