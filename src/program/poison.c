#include "program/poison.h"

#include <string.h>

/* A NaN in f32 and in bfloat16, and an index that is out of range. */
enum { FILLING = 0xFF };

void thaw_poison(const thaw_plan *plan, size_t first, size_t past)
{
    for (size_t i = 0; i < plan->request_count; i++) {
        const thaw_memory_request *request = &plan->requests[i];
        if (request->first >= first && request->first < past && request->bytes)
            memset((char *)(uintptr_t)plan->arena + request->offset, FILLING, request->bytes);
    }
}

static bool has_listed_rows(const thaw_plan *plan, const thaw_parameter *parameter)
{
    for (size_t i = 0; i < plan->order_count; i++)
        for (size_t k = 0; k < THAW_MAX_PARAMETERS; k++)
            if (plan->nodes[plan->order[i]].bound.gradient_rows[k] == &parameter->gradient_rows)
                return true;
    return false;
}

void thaw_poison_gradients(const thaw_plan *plan)
{
    for (size_t i = 0; i < plan->trained_count; i++) {
        const thaw_parameter *parameter = plan->trained[i];
        if (!has_listed_rows(plan, parameter))
            memset(parameter->gradient, FILLING, parameter->count * sizeof *parameter->gradient);
    }
}
