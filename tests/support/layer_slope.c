#include "support/layer_slope.h"

static double weighted_output(layer *l)
{
    double sum = 0;
    layer_forward(l);
    for (size_t i = 0; i < l->output_size; i++)
        sum += (double)l->output[i] * (double)l->output_gradient[i];
    return sum;
}

float layer_slope(layer *l, float *value, float step)
{
    const float kept = *value;
    *value = kept + step;
    const double above = weighted_output(l);
    *value = kept - step;
    const double below = weighted_output(l);
    *value = kept;
    return (float)((above - below) / 2 / (double)step);
}
