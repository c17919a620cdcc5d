#include "support/gradients.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

float *support_gradients(thaw_model *model, size_t *count)
{
    float *all = NULL;
    *count = 0;
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        const thaw_parameter *parameter = thaw_model_parameter(model, i);
        const float *gradient = thaw_parameter_gradient(parameter);
        const size_t more = gradient ? thaw_shape_count(thaw_parameter_shape(parameter)) : 0;
        all = realloc(all, (*count + more + 1) * sizeof *all);
        if (more)
            memcpy(all + *count, gradient, more * sizeof *all);
        *count += more;
    }
    return all;
}

double support_norm(const float *values, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    return sqrt(sum);
}

double support_distance(const float *left, const float *right, size_t count)
{
    float *difference = malloc((count + 1) * sizeof *difference);
    for (size_t i = 0; i < count; i++)
        difference[i] = left[i] - right[i];
    const double apart = support_norm(difference, count);
    free(difference);
    return apart / fmax(support_norm(left, count), 1e-12);
}
