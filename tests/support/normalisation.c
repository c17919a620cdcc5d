#include "support/normalisation.h"

#include <math.h>
#include <stdlib.h>

typedef struct expectation {
    double *output, *input, *weight, *bias;
} expectation;

/* Place in the batch of value `i` of a sample's group, and its channel. */
static size_t place_of(const support_normalisation *n, size_t sample, size_t group, size_t i, size_t *channel)
{
    const size_t width = n->channels / n->groups;
    *channel = group * width + i % width;
    return (sample * n->places + i / width) * n->channels + *channel;
}

static void expect_group(const layer *l, const support_normalisation *n, size_t sample, size_t group, expectation *e)
{
    const size_t count = n->places * (n->channels / n->groups);
    double mean = 0, variance = 0, slopes = 0, products = 0;
    size_t c;
    for (size_t i = 0; i < count; i++)
        mean += (double)l->inputs[0][place_of(n, sample, group, i, &c)] / (double)count;
    for (size_t i = 0; i < count; i++)
        variance += pow((double)l->inputs[0][place_of(n, sample, group, i, &c)] - mean, 2) / (double)count;
    const double inverse = 1 / sqrt(variance + n->epsilon);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < count; i++) {
            const size_t at = place_of(n, sample, group, i, &c);
            const double weight = l->parameter_count > 0 ? (double)l->parameters[0][c] : 1;
            const double normal = ((double)l->inputs[0][at] - mean) * inverse;
            const double slope = l->output_gradient ? (double)l->output_gradient[at] : 0;
            if (pass == 0) {
                e->output[at] = normal * weight + (l->parameter_count > 1 ? (double)l->parameters[1][c] : 0);
                e->weight[c] += slope * normal;
                e->bias[c] += slope;
                slopes += slope * weight / (double)count;
                products += slope * weight * normal / (double)count;
            } else {
                e->input[at] = inverse * (slope * weight - slopes - normal * products);
            }
        }
}

static void compare(const float *actual, const double *expected, size_t count, double rounding, const char *what)
{
    if (!actual)
        return;
    float *rounded = malloc(count * sizeof *rounded);
    for (size_t i = 0; i < count; i++)
        rounded[i] = (float)expected[i];
    assert_close(actual, rounded, count, 1e-5 + rounding, what);
    free(rounded);
}

void support_check_normalisation(layer *l, const support_normalisation *n)
{
    const bool in_place = l->output == NULL;
    const double rounding = l->bfloat16 ? BFLOAT16_TOLERANCE : 0;
    expectation e = { calloc(l->output_size, sizeof(double)), calloc(l->output_size, sizeof(double)),
                      calloc(n->channels, sizeof(double)), calloc(n->channels, sizeof(double)) };
    for (size_t sample = 0; sample < n->samples; sample++)
        for (size_t group = 0; group < n->groups; group++)
            expect_group(l, n, sample, group, &e);
    layer_forward(l);
    compare(in_place ? l->inputs[0] : l->output, e.output, l->output_size, rounding, "output");
    if (l->output_gradient)
        layer_backward(l);
    compare(l->input_gradients[0], e.input, l->output_size, rounding, "input gradient");
    compare(l->parameter_gradients[0], e.weight, n->channels, 0, "weight gradient");
    compare(l->parameter_gradients[1], e.bias, n->channels, 0, "bias gradient");
    free(e.output);
    free(e.input);
    free(e.weight);
    free(e.bias);
}
