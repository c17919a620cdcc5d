#include "params/position_grid.h"

#include <math.h>
#include <string.h>
#include <thaw/runtime.h>

int64_t thaw_position_grid_side(const thaw_parameter *parameter, const thaw_shape *stored)
{
    const thaw_shape *own = &parameter->shape;
    if (!parameter->grid.height || stored->rank != own->rank)
        return 0;
    for (int i = 0; i < own->rank; i++)
        if (i != own->rank - 2 && stored->dims[i] != own->dims[i])
            return 0;
    const int64_t places = stored->dims[own->rank - 2] - parameter->grid.tokens;
    if (places < 1)
        return 0;
    const int64_t side = (int64_t)(sqrt((double)places) + 0.5);
    return side * side == places ? side : 0;
}

static double cubic(double x)
{
    static const double a = -0.5;
    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/* The source positions of result `place` along an axis, from *first on, and their weights. Returns their number. */
static int64_t weigh(int64_t from, int64_t into, int64_t place, int64_t *first, double *weights)
{
    const double scale = (double)from / (double)into, wide = scale > 1 ? scale : 1;
    const double center = scale * ((double)place + 0.5), support = 2 * wide;
    const int64_t begin = (int64_t)fmax(center - support + 0.5, 0);
    const int64_t end = (int64_t)fmin(center + support + 0.5, (double)from);
    double sum = 0;
    for (int64_t i = begin; i < end; i++)
        sum += weights[i - begin] = cubic(((double)i - center + 0.5) / wide);
    for (int64_t i = begin; i < end; i++)
        weights[i - begin] /= sum;
    *first = begin;
    return end - begin;
}

/* Resamples the middle one of the dimensions [outer, from, inner]. */
static void resample_axis(const double *source, size_t outer, int64_t from, int64_t into, size_t inner, double *result,
                          double *weights)
{
    for (int64_t place = 0; place < into; place++) {
        int64_t first;
        const int64_t count = weigh(from, into, place, &first, weights);
        for (size_t o = 0; o < outer; o++) {
            double *row = result + (o * (size_t)into + (size_t)place) * inner;
            memset(row, 0, inner * sizeof *row);
            for (int64_t k = 0; k < count; k++) {
                const double *term = source + (o * (size_t)from + (size_t)(first + k)) * inner;
                for (size_t i = 0; i < inner; i++)
                    row[i] += weights[k] * term[i];
            }
        }
    }
}

thaw_status thaw_position_grid_resample(thaw_context *context, const thaw_parameter *parameter, int64_t side,
                                        const float *stored, float *values)
{
    const thaw_position_grid *grid = &parameter->grid;
    const size_t width = (size_t)parameter->shape.dims[parameter->shape.rank - 1];
    const size_t tokens = (size_t)grid->tokens * width, source = (size_t)(side * side) * width;
    const size_t wide = (size_t)(side * grid->width) * width, result = (size_t)(grid->height * grid->width) * width;
    double *numbers = thaw_allocate_array(context, source + wide + result + (size_t)side, sizeof *numbers);
    if (!numbers)
        return THAW_OUT_OF_MEMORY;
    double *across = numbers + source, *down = across + wide, *weights = down + result;
    for (size_t i = 0; i < source; i++)
        numbers[i] = (double)stored[tokens + i];
    resample_axis(numbers, (size_t)side, side, grid->width, width, across, weights);
    resample_axis(across, 1, side, grid->height, (size_t)grid->width * width, down, weights);
    memcpy(values, stored, tokens * sizeof *values);
    for (size_t i = 0; i < result; i++)
        values[tokens + i] = (float)down[i];
    thaw_release(context, numbers);
    return THAW_OK;
}
