#include "support/convolution.h"

#include <math.h>
#include <stdlib.h>

/* Indices of a product's three operands. */
typedef struct product {
    size_t image, weight, map;
} product;

typedef struct sums {
    const layer *l;
    bool transposed;
    double *output, *input_gradient, *weight_gradient;
} sums;

static void add_product(const sums *s, const product *p)
{
    const layer *l = s->l;
    const size_t x = s->transposed ? p->map : p->image, y = s->transposed ? p->image : p->map;
    s->output[y] += (double)l->inputs[0][x] * (double)l->parameters[0][p->weight];
    if (!l->output_gradient)
        return;
    s->input_gradient[x] += (double)l->output_gradient[y] * (double)l->parameters[0][p->weight];
    s->weight_gradient[p->weight] += (double)l->output_gradient[y] * (double)l->inputs[0][x];
}

/* What one element of the map is made of. */
static void add_products(const sums *s, const support_convolution *c, int64_t n, int64_t position, int64_t filter)
{
    const int64_t in_group = c->channels / c->groups, area = c->kernel[0] * c->kernel[1];
    for (int64_t i = 0; i < in_group; i++)
        for (int64_t k = 0; k < area; k++) {
            const int64_t row =
                position / c->output[1] * c->stride[0] - c->padding[0] + k / c->kernel[1] * c->dilation[0];
            const int64_t column =
                position % c->output[1] * c->stride[1] - c->padding[1] + k % c->kernel[1] * c->dilation[1];
            if (row < 0 || row >= c->input[0] || column < 0 || column >= c->input[1])
                continue;
            const int64_t channel = filter / (c->filters / c->groups) * in_group + i;
            add_product(s, &(product){
                               (size_t)(((n * c->input[0] + row) * c->input[1] + column) * c->channels + channel),
                               (size_t)((filter * in_group + i) * area + k),
                               (size_t)((n * c->output[0] * c->output[1] + position) * c->filters + filter),
                           });
        }
}

static const double exact = 2e-5;

static void compare(const float *actual, const double *expected, size_t count, double tolerance, const char *what)
{
    if (!actual)
        return;
    float *floats = malloc(count * sizeof *floats);
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)expected[i];
    assert_close(actual, floats, count, tolerance, what);
    free(floats);
}

/* Winograd's transforms round numbers of the sums' usual size, also where a sum's terms cancel. */
static double of_usual_size(double tolerance, const double *values, size_t count)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += values[i] * values[i];
    return tolerance * fmax(1, sqrt(squares / (double)count));
}

/* Of output and input gradients: what is stored as bfloat16 is rounded, as are the bias's terms in a transposed
   convolution, and Winograd's transforms, to several times that; gradients of parameters are not. */
static double rounded(const layer *l, const double *values, size_t count)
{
    return l->bfloat16 ? of_usual_size(8 * BFLOAT16_TOLERANCE, values, count) : exact;
}

static void finish_output(const layer *l, double *output, size_t channels, bool relu)
{
    for (size_t y = 0; y < l->output_size; y++) {
        output[y] += l->parameter_count > 1 ? (double)l->parameters[1][y % channels] : 0;
        output[y] = relu && output[y] < 0 ? 0 : output[y];
    }
}

static void compare_bias(const layer *l, size_t channels)
{
    double *gradient = calloc(channels, sizeof *gradient);
    for (size_t y = 0; y < l->output_size; y++)
        gradient[y % channels] += (double)l->output_gradient[y];
    compare(l->parameter_gradients[1], gradient, channels, exact, "bias gradient");
    free(gradient);
}

int64_t support_convolved(const support_convolution *c, int axis, int64_t after)
{
    const int64_t reach = c->dilation[axis] * (c->kernel[axis] - 1) + 1;
    return (c->input[axis] + c->padding[axis] + after - reach) / c->stride[axis] + 1;
}

void support_check_convolution(layer *l, const support_convolution *c, bool transposed, bool relu)
{
    const size_t channels = (size_t)(transposed ? c->channels : c->filters);
    sums s = { l, transposed, calloc(l->output_size, sizeof(double)), calloc(l->input_size[0], sizeof(double)),
               calloc(l->parameter_size[0], sizeof(double)) };
    for (int64_t n = 0; n < c->batch; n++)
        for (int64_t position = 0; position < c->output[0] * c->output[1]; position++)
            for (int64_t filter = 0; filter < c->filters; filter++)
                add_products(&s, c, n, position, filter);
    finish_output(l, s.output, channels, relu);
    layer_forward(l);
    compare(l->output, s.output, l->output_size, rounded(l, s.output, l->output_size), "output");
    if (l->output_gradient) {
        layer_backward(l);
        compare_bias(l, channels);
    }
    compare(l->input_gradients[0], s.input_gradient, l->input_size[0], rounded(l, s.input_gradient, l->input_size[0]),
            "input gradient");
    const double usual = of_usual_size(exact, s.weight_gradient, l->parameter_size[0]);
    compare(l->parameter_gradients[0], s.weight_gradient, l->parameter_size[0], usual, "weight gradient");
    free(s.output);
    free(s.input_gradient);
    free(s.weight_gradient);
}
