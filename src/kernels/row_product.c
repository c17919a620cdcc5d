#include "kernels/row_product.h"

#include <string.h>

#include "core/threads.h"
#include "kernels/strip_product.h"
#include "onednn/own_kernel.h"

/* A part of a strip stays in the first-level cache while all rows of a block are multiplied with it. Where a part ends is
   the same for all rows, and so is the order in which an element's terms are added.

   Times as fast as oneDNN 2.6.3's product with AVX2, 2 cores of an EPYC (Zen 3), 2 threads: 784 -> 512 with 128 rows 1.23,
   with 32 rows 1.32; 512 -> 1000 with 16 rows 1.05; 512 -> 512 with 128 rows 1.4; 784 -> 500 with 500 rows 0.94;
   4608 -> 128 with 128 rows 0.81; 512 -> 10 with 128 rows 0.65, since a strip has 32 columns. */
enum { PART = 256, ROWS = 48, ALIGNMENT = 64 };

typedef struct sizes {
    size_t batch, inputs, outputs, strips, blocks;
    bool bias;
    thaw_residual residual;
    thaw_activation activation;
} sizes;

typedef struct job {
    const sizes *of;
    thaw_strip_product_function *multiply;
    const float *source, *strips, *bias, *residual;
    float *destination;
} job;

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

static float activate(thaw_activation activation, float z)
{
    if (activation == THAW_ACTIVATION_NONE)
        return z;
    const float positive = z < 0 ? 0 : z;
    return activation == THAW_ACTIVATION_RELU6 && positive > 6 ? 6 : positive;
}

static void store_row(const job *j, const float *sums, size_t row, size_t first, size_t columns)
{
    const size_t at = row * j->of->outputs + first;
    for (size_t u = 0; u < columns; u++) {
        float z = sums[u];
        if (j->bias)
            z += j->bias[first + u];
        if (j->residual)
            z += j->residual[at + u];
        j->destination[at + u] = activate(j->of->activation, z);
    }
}

static void multiply_block(const job *j, size_t strip, size_t block)
{
    const sizes *s = j->of;
    const size_t row = block * ROWS, rows = smaller(ROWS, s->batch - row), first = strip * THAW_STRIP;
    const float *left = j->source + row * s->inputs, *right = j->strips + strip * s->inputs * THAW_STRIP;
    _Alignas(ALIGNMENT) float sums[ROWS * THAW_STRIP], part[ROWS * THAW_STRIP];
    j->multiply(rows, smaller(PART, s->inputs), left, s->inputs, right, sums);
    for (size_t k = PART; k < s->inputs; k += PART) {
        j->multiply(rows, smaller(PART, s->inputs - k), left + k, s->inputs, right + k * THAW_STRIP, part);
        for (size_t i = 0; i < rows * THAW_STRIP; i++)
            sums[i] += part[i];
    }
    for (size_t r = 0; r < rows; r++)
        store_row(j, sums + r * THAW_STRIP, row + r, first, smaller(THAW_STRIP, s->outputs - first));
}

static void run_units(void *argument, size_t begin, size_t end)
{
    const job *j = argument;
    for (size_t i = begin; i < end; i++)
        multiply_block(j, i / j->of->blocks, i % j->of->blocks);
}

static void run(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    (void)scratch;
    const sizes *s = problem;
    job j = {
        .of = s,
        .multiply = thaw_strip_product_of_cpu(),
        .source = arguments[THAW_ARGUMENT_SOURCE],
        .strips = arguments[THAW_ARGUMENT_WEIGHTS],
        .bias = s->bias ? arguments[THAW_ARGUMENT_BIAS] : NULL,
        .destination = arguments[THAW_ARGUMENT_DESTINATION],
    };
    if (s->residual != THAW_RESIDUAL_NONE)
        j.residual =
            arguments[s->residual == THAW_RESIDUAL_BESIDE ? THAW_ARGUMENT_RESIDUAL : THAW_ARGUMENT_DESTINATION];
    thaw_parallel_for(context, s->strips * s->blocks, 1, run_units, &j);
}

/* ---- packing: strip[k][u] is input k of the strip's output u, with zeros for outputs that are not there ---- */

typedef struct packing {
    const sizes *of;
    const float *weight;
    float *strips;
} packing;

static void pack_strips(void *argument, size_t begin, size_t end)
{
    const packing *p = argument;
    const size_t inputs = p->of->inputs;
    for (size_t s = begin; s < end; s++) {
        const size_t first = s * THAW_STRIP, columns = smaller(THAW_STRIP, p->of->outputs - first);
        const float *from = p->weight + first * inputs;
        float *strip = p->strips + first * inputs;
        if (columns < THAW_STRIP)
            memset(strip, 0, inputs * THAW_STRIP * sizeof *strip);
        for (size_t k = 0; k < inputs; k++)
            for (size_t u = 0; u < columns; u++)
                strip[k * THAW_STRIP + u] = from[u * inputs + k];
    }
}

static void pack(thaw_context *context, const void *problem, void *const *arguments, void *scratch)
{
    (void)scratch;
    packing p = { problem, arguments[THAW_ARGUMENT_SOURCE], arguments[THAW_ARGUMENT_DESTINATION] };
    thaw_parallel_for(context, p.of->strips, 1, pack_strips, &p);
}

static void place(const void *problem, uint32_t *row_at, uint32_t *element_at)
{
    const sizes *s = problem;
    for (size_t o = 0; o < s->outputs; o++)
        row_at[o] = (uint32_t)(o / THAW_STRIP * THAW_STRIP * s->inputs + o % THAW_STRIP);
    for (size_t k = 0; k < s->inputs; k++)
        element_at[k] = (uint32_t)(k * THAW_STRIP);
}

/* ---- making ---- */

bool thaw_row_product_suits(const thaw_inner_product *p)
{
    return !thaw_dnn_has_avx512() && !p->training && p->packed && p->precision == THAW_F32 && !p->transposed;
}

bool thaw_row_product_activates(thaw_activation activation)
{
    return activation <= THAW_ACTIVATION_RELU6;
}

thaw_status thaw_row_product_create(thaw_context *context, const thaw_inner_product *p, thaw_kernel **kernel,
                                    thaw_kernel **packer)
{
    const sizes s = {
        .batch = (size_t)p->batch,
        .inputs = (size_t)p->inputs,
        .outputs = (size_t)p->outputs,
        .strips = ((size_t)p->outputs + THAW_STRIP - 1) / THAW_STRIP,
        .blocks = ((size_t)p->batch + ROWS - 1) / ROWS,
        .bias = p->bias,
        .residual = p->after.residual,
        .activation = p->after.activation,
    };
    const size_t output_bytes = s.batch * s.outputs * sizeof(float);
    const size_t strip_bytes = s.strips * THAW_STRIP * s.inputs * sizeof(float);
    const thaw_own_kernel product = {
        .name = "row product",
        .bytes = { [THAW_ARGUMENT_SOURCE] = s.batch * s.inputs * sizeof(float),
                   [THAW_ARGUMENT_WEIGHTS] = strip_bytes,
                   [THAW_ARGUMENT_BIAS] = s.bias ? s.outputs * sizeof(float) : 0,
                   [THAW_ARGUMENT_RESIDUAL] = s.residual == THAW_RESIDUAL_BESIDE ? output_bytes : 0,
                   [THAW_ARGUMENT_DESTINATION] = output_bytes },
        .run = run,
        .place = place,
        .row = s.inputs,
    };
    const thaw_own_kernel packing_kernel = {
        .name = "row product's packing",
        .bytes = { [THAW_ARGUMENT_SOURCE] = s.outputs * s.inputs * sizeof(float),
                   [THAW_ARGUMENT_DESTINATION] = strip_bytes },
        .run = pack,
    };
    thaw_status status = thaw_kernel_create_own(context, &product, &s, sizeof s, kernel);
    if (status != THAW_OK)
        return status;
    status = thaw_kernel_create_own(context, &packing_kernel, &s, sizeof s, packer);
    if (status != THAW_OK) {
        thaw_kernel_release(context, *kernel);
        *kernel = NULL;
    }
    return status;
}
