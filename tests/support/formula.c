#include "support/formula.h"

#include <math.h>
#include <string.h>

#include "core/pattern.h"

/* Fowler, Noll and Vo's hash. */
uint32_t formula_key(const char *name)
{
    uint32_t key = 2166136261U;
    for (; *name; name++)
        key = (key ^ (uint8_t)*name) * 16777619U;
    return key;
}

/* Wellons' lowbias32, of numbers that the golden ratio spreads. */
double formula_uniform(uint32_t key, size_t index)
{
    uint32_t x = (uint32_t)index * 0x9E3779B9U + key;
    x = (x ^ x >> 16) * 0x7FEB352DU;
    x = (x ^ x >> 15) * 0x846CA68BU;
    x ^= x >> 16;
    return (double)x * 0x1p-31 - 1;
}

typedef enum tensor_kind { WEIGHT, SCALE, SHIFT, VARIANCE, OTHER } tensor_kind;

/* Only batch normalisation has them. */
static bool has_statistics(const thaw_parameter *parameter)
{
    const thaw_group *group = thaw_parameter_group(parameter);
    bool found = false;
    for (size_t i = 0; i < thaw_group_parameter_count(group); i++)
        found = found || thaw_parameter_role(thaw_group_parameter(group, i)) == THAW_STATISTIC;
    return found;
}

static tensor_kind kind_of(const thaw_parameter *parameter)
{
    const char *name = thaw_parameter_name(parameter);
    switch (thaw_parameter_role(parameter)) {
    case THAW_WEIGHT:
        return WEIGHT;
    case THAW_SCALE:
        return SCALE;
    case THAW_SHIFT:
        return has_statistics(parameter) ? SHIFT : OTHER;
    case THAW_BIAS:
        return OTHER;
    default:
        return strcmp(strrchr(name, '.'), ".running_var") == 0 ? VARIANCE : OTHER;
    }
}

static double value_of(tensor_kind kind, bool ends_branch, double u, double bound)
{
    switch (kind) {
    case WEIGHT:
        return u * bound;
    case SCALE:
        return (1 + u / 4) * (ends_branch ? 0.25 : 0.5);
    case SHIFT:
        if (ends_branch)
            return 0.5;
        return u < -0.75 ? -2 : u < 0.75 ? 2.5 + u / 2 : 8;
    case VARIANCE:
        return 1 + u / 2;
    default:
        return u / 8;
    }
}

void formula_fill(thaw_model *model, const char *branch_ends)
{
    for (size_t i = 0; i < thaw_model_parameter_count(model); i++) {
        thaw_parameter *parameter = thaw_model_parameter(model, i);
        const char *layer = thaw_group_name(thaw_parameter_group(parameter));
        const thaw_shape *shape = thaw_parameter_shape(parameter);
        const size_t count = thaw_shape_count(shape);
        const bool ends_branch = branch_ends && thaw_pattern_matches(branch_ends, layer);
        const double bound = sqrt(6 / ((double)count / (double)shape->dims[0]));
        const uint32_t key = formula_key(thaw_parameter_name(parameter));
        const tensor_kind kind = kind_of(parameter);
        float *values = thaw_parameter_edit(parameter);
        for (size_t k = 0; k < count; k++)
            values[k] = (float)value_of(kind, ends_branch, formula_uniform(key, k), bound);
    }
}

void formula_fill_images(float *images, size_t batch, const thaw_shape *sample)
{
    const uint32_t key = formula_key("input");
    const size_t channels = (size_t)sample->dims[2], pixels = (size_t)(sample->dims[0] * sample->dims[1]);
    for (size_t i = 0; i < batch * pixels * channels; i++) {
        const size_t pixel = i / channels % pixels, channel = i % channels, image = i / channels / pixels;
        images[i] = (float)formula_uniform(key, (image * channels + channel) * pixels + pixel);
    }
}

void formula_measure(const float *values, size_t count, double *norm, double *product)
{
    const uint32_t key = formula_key("probe");
    double squares = 0, products = 0;
    for (size_t i = 0; i < count; i++) {
        squares += (double)values[i] * (double)values[i];
        products += (double)values[i] * formula_uniform(key, i);
    }
    *norm = sqrt(squares);
    *product = products;
}
