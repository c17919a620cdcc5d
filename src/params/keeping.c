#include "params/keeping.h"

#include <string.h>

#include "core/pages.h"
#include "params/expression.h"

/* Smaller parameters are not worth the bookkeeping. */
enum { LEAST_BYTES = 1 << 16 };

bool thaw_parameter_may_leave(const thaw_parameter *parameter)
{
    return !thaw_parameter_trainable(parameter) && !parameter->stored->set->recurs && parameter->in_use &&
           !parameter->bound && !parameter->is_operand && !parameter->lent &&
           parameter->count * sizeof(float) >= LEAST_BYTES;
}

void thaw_let_go(const thaw_layer_run *run, size_t parameter, size_t first, size_t count)
{
    thaw_parameter *leaving = run->capabilities->leaving[parameter];
    if (!leaving || leaving->lent)
        return;
    thaw_pages_give_back(leaving->data + first, count * sizeof(float));
    leaving->absent = true;
}

void thaw_parameter_bring_back(thaw_parameter *parameter)
{
    if (!parameter->absent)
        return;
    parameter->keeper->unpack(parameter->kept, parameter->kept_as, 0, parameter->count, parameter->data);
    parameter->absent = false;
}

const float *thaw_parameter_data(const thaw_parameter *parameter)
{
    thaw_parameter *lent = (thaw_parameter *)(uintptr_t)parameter;
    thaw_parameter_bring_back(lent);
    lent->lent = true;
    return lent->data;
}

float *thaw_parameter_edit(thaw_parameter *parameter)
{
    thaw_parameter_bring_back(parameter);
    parameter->version++;
    return parameter->data;
}

void thaw_parameter_read(const thaw_parameter *parameter, size_t first, size_t count, float *values)
{
    if (parameter->absent)
        parameter->keeper->unpack(parameter->kept, parameter->kept_as, first, count, values);
    else
        memcpy(values, parameter->data + first, count * sizeof(float));
}
