#include "params/finite.h"

#include <math.h>
#include <stdatomic.h>

#include "core/context.h"
#include "core/number.h"
#include "kernels/magnitude.h"

enum { BLOCK = 4096, GRAIN = 16 /* blocks: checking fewer takes less time than waking a thread */ };

/* Differs after each change of values, of bindings, or of the list of parameters. Never 0. */
static uint64_t state_of(const thaw_parameter_set *set)
{
    const uint64_t prime = 1099511628211U; /* FNV's: a plain sum of versions could repeat */
    uint64_t state = 1 + prime * (set->bindings + prime * (set->parameter_count + prime * set->removed_count));
    for (size_t i = 0; i < set->parameter_count; i++)
        state += set->parameters[i]->version;
    return state;
}

typedef struct search {
    thaw_magnitude_function *largest;
    const float *values;
    size_t count;
    atomic_bool found;
} search;

static void search_blocks(void *argument, size_t begin, size_t end)
{
    search *s = argument;
    const size_t first = begin * BLOCK, past = end * BLOCK < s->count ? end * BLOCK : s->count;
    if (!isfinite(s->largest(s->values + first, past - first)))
        atomic_store_explicit(&s->found, true, memory_order_relaxed);
}

bool thaw_values_finite(thaw_context *context, const float *values, size_t count)
{
    search s = { THAW_FOR_LEVEL(context->level, thaw_largest_magnitude), values, count, false };
    thaw_parallel_for(context, (count + BLOCK - 1) / BLOCK, GRAIN, search_blocks, &s);
    return !atomic_load(&s.found);
}

/* Absent values were checked before a layer took them. */
static bool is_finite(thaw_context *context, const thaw_parameter *parameter)
{
    return !parameter->in_use || parameter->absent || thaw_values_finite(context, parameter->data, parameter->count);
}

thaw_status thaw_parameter_check_finite(thaw_context *context, const thaw_parameter *parameter, const char *what)
{
    if (is_finite(context, parameter))
        return THAW_OK;
    size_t element = 0;
    while (isfinite(parameter->data[element]))
        element++;
    return thaw_fail(context, THAW_NOT_FINITE, "%s: element %zu of %s is %g", what, element, parameter->name,
                     thaw_printed((double)parameter->data[element]));
}

thaw_status thaw_set_check_finite(thaw_parameter_set *set, const char *what)
{
    const uint64_t state = state_of(set);
    thaw_status status = THAW_OK;
    for (size_t i = 0; i < set->parameter_count && set->finite != state && status == THAW_OK; i++)
        status = thaw_parameter_check_finite(set->context, set->parameters[i], what);
    if (status == THAW_OK)
        set->finite = state;
    return status;
}

void thaw_set_note_finite(thaw_parameter_set *set)
{
    set->finite = state_of(set);
}
