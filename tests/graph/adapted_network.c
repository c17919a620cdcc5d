#include "graph/adapted_network.h"

#include <stdlib.h>
#include <string.h>

thaw_context *adapted_context;
thaw_model *adapted_model;

void adapted_begin(void)
{
    adapted_context = support_context(2);
    adapted_model = support_network(adapted_context, false);
    support_optimize(adapted_model, "adamw:lr=0.01,weight_decay=0.1");
}

void adapted_end(void)
{
    thaw_model_destroy(adapted_model);
    thaw_context_destroy(adapted_context);
}

thaw_parameter *adapted_find(const char *name)
{
    thaw_parameter *found = thaw_model_find_parameter(adapted_model, name);
    cr_assert_not_null(found, "%s", name);
    return found;
}

void adapted_step(uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        assert_ok(adapted_context, support_step(adapted_model, ADAPTED_BATCH, i + 1, NULL, NULL));
}

double adapted_loss(uint32_t seed)
{
    thaw_step_result result;
    assert_ok(adapted_context, support_step(adapted_model, ADAPTED_BATCH, seed,
                                            &(thaw_step_options){ .gradients_only = true }, &result));
    return result.loss;
}

float *adapted_copy(const char *name)
{
    const thaw_parameter *parameter = adapted_find(name);
    const size_t bytes = thaw_shape_count(thaw_parameter_shape(parameter)) * sizeof(float);
    float *copy = malloc(bytes);
    memcpy(copy, thaw_parameter_data(parameter), bytes);
    return copy;
}

size_t adapted_count_moved(const char *name, const float *before)
{
    const thaw_parameter *parameter = adapted_find(name);
    const float *now = thaw_parameter_data(parameter);
    size_t moved = 0;
    for (size_t i = 0; i < thaw_shape_count(thaw_parameter_shape(parameter)); i++)
        moved += memcmp(&now[i], &before[i], sizeof *now) != 0;
    return moved;
}
