#include "params/transposed.h"

#include <string.h>

#include "params/keeping.h"

thaw_shape thaw_parameter_stored_shape(const thaw_parameter *parameter)
{
    const thaw_shape *own = &parameter->shape;
    return parameter->transposed ? (thaw_shape){ 2, { own->dims[1], own->dims[0] } } : *own;
}

void thaw_parameter_read_stored(const thaw_parameter *parameter, size_t first, size_t count, float *values)
{
    if (!parameter->transposed) {
        thaw_parameter_read(parameter, first, count, values);
        return;
    }
    const size_t rows = (size_t)parameter->shape.dims[0], columns = (size_t)parameter->shape.dims[1];
    for (size_t i = 0; i < count; i++) {
        const size_t row = (first + i) % rows, column = (first + i) / rows;
        thaw_parameter_read(parameter, row * columns + column, 1, &values[i]);
    }
}

void thaw_parameter_write_stored(thaw_parameter *parameter, const float *values)
{
    float *into = thaw_parameter_edit(parameter);
    if (!parameter->transposed) {
        memcpy(into, values, parameter->count * sizeof *into);
        return;
    }
    const size_t rows = (size_t)parameter->shape.dims[0], columns = (size_t)parameter->shape.dims[1];
    for (size_t row = 0; row < rows; row++)
        for (size_t column = 0; column < columns; column++)
            into[row * columns + column] = values[column * rows + row];
}
