#include "kernels/pass_loops.h"

#include <string.h>

#include "kernels/lanes.h"

enum { ROWS = 8 };
typedef double doubles __attribute__((vector_size(LANES * sizeof(double))));

/* Reads from a matrix of floats or bfloat16, at an index of its elements. */
INLINE lanes load_at(const void *matrix, size_t at, size_t count, bool bf16)
{
    return load((const char *)matrix + bytes_of(at, bf16), count, bf16);
}

INLINE void store_at(void *matrix, size_t at, lanes values, size_t count, bool bf16)
{
    const halves upper = __builtin_convertvector(round_upper(values) >> 16, halves);
    memcpy((char *)matrix + bytes_of(at, bf16), bf16 ? (const void *)&upper : (const void *)&values,
           bytes_of(count, bf16));
}

/* Adds to sums over many rows, which need more digits than a float has. */
INLINE void add(double *into, lanes values, size_t count)
{
    doubles sums = { 0 };
    memcpy(&sums, into, count * sizeof(double));
    sums += __builtin_convertvector(values, doubles);
    memcpy(into, &sums, count * sizeof(double));
}

/* Keeps the slope where the activation's own slope is 1. `value` may be z or y. */
INLINE lanes mask(thaw_activation activation, lanes value, lanes slope)
{
    flags open = value > all(0);
    if (activation == THAW_ACTIVATION_RELU6)
        open &= value < all(6);
    return (lanes)((flags)slope & open);
}

/* The variants of a pass. They are constants for the compiler. */
typedef struct variant {
    thaw_activation activation;
    bool bf16;   /* the matrices are bfloat16 */
    bool result; /* backward: y tells where the activation's slope is 1 */
} variant;

/* One vector of z without the residual. */
INLINE lanes normalised(const thaw_channel_pass *p, size_t at, size_t c, variant v, size_t count)
{
    const lanes x = load_at(p->input, at, count, v.bf16) - load(p->mean + c, count, false);
    return x * load(p->scale + c, count, false) + load(p->shift + c, count, false);
}

/* One vector of dz. */
INLINE lanes slope_at(const thaw_channel_pass *p, size_t at, size_t c, variant v, size_t count)
{
    const lanes slope = load_at(p->output_gradient, at, count, v.bf16);
    if (v.activation == THAW_ACTIVATION_NONE)
        return slope;
    const lanes value = v.result ? load_at(p->result, at, count, v.bf16) : normalised(p, at, c, v, count);
    return mask(v.activation, value, slope);
}

INLINE void normalise_vector(const thaw_channel_pass *p, size_t row, size_t c, variant v, size_t count)
{
    const size_t at = row * p->channels + c;
    lanes z = normalised(p, at, c, v, count);
    if (p->residual)
        z += load_at(p->residual, at, count, v.bf16);
    store_at(p->output, at, activate(v.activation, z), count, v.bf16);
}

INLINE void differentiate_vector(const thaw_channel_pass *p, size_t row, size_t c, variant v, size_t count)
{
    const size_t at = row * p->channels + c;
    lanes gradient = slope_at(p, at, c, v, count) * load(p->scale + c, count, false);
    if (p->gradient_shift)
        gradient = gradient + load(p->gradient_shift + c, count, false) +
                   (load_at(p->input, at, count, v.bf16) - load(p->mean + c, count, false)) *
                       load(p->gradient_rate + c, count, false);
    store_at(p->gradient, at, gradient, count, v.bf16);
}

/* Walks from the last row to the first: the rows that the previous pass read last are still in the caches. */
INLINE void normalise_rows(const thaw_channel_pass *p, size_t begin, size_t end, variant v)
{
    const size_t whole = p->channels / LANES * LANES;
    for (size_t row = end; row-- > begin;) {
        for (size_t c = 0; c < whole; c += LANES)
            normalise_vector(p, row, c, v, LANES);
        if (whole < p->channels)
            normalise_vector(p, row, whole, v, p->channels - whole);
    }
}

INLINE void differentiate_rows(const thaw_channel_pass *p, size_t begin, size_t end, variant v)
{
    const size_t whole = p->channels / LANES * LANES;
    for (size_t row = end; row-- > begin;) {
        for (size_t c = 0; c < whole; c += LANES)
            differentiate_vector(p, row, c, v, LANES);
        if (whole < p->channels)
            differentiate_vector(p, row, whole, v, p->channels - whole);
    }
}

/* Several rows are summed before the sums are touched. */
INLINE void measure_vector(const thaw_channel_pass *p, size_t row, size_t rows, size_t c, variant v, double *sums,
                           double *squares, size_t count)
{
    const lanes shift = load(p->shift + c, count, false);
    lanes sum = { 0 }, square = { 0 };
    for (size_t i = 0; i < rows; i++) {
        const lanes x = load_at(p->input, (row + i) * p->channels + c, count, v.bf16) - shift;
        sum += x;
        square += x * x;
    }
    add(sums + c, sum, count);
    add(squares + c, square, count);
}

INLINE void reduce_vector(const thaw_channel_pass *p, size_t row, size_t rows, size_t c, variant v, double *sums,
                          double *products, size_t count)
{
    const lanes mean = products ? load(p->mean + c, count, false) : all(0);
    lanes sum = { 0 }, product = { 0 };
    for (size_t i = 0; i < rows; i++) {
        const size_t at = (row + i) * p->channels + c;
        const lanes slope = slope_at(p, at, c, v, count);
        if (p->slope)
            store_at(p->slope, at, slope, count, v.bf16);
        sum += slope;
        if (products)
            product += slope * (load_at(p->input, at, count, v.bf16) - mean);
    }
    add(sums + c, sum, count);
    if (products)
        add(products + c, product, count);
}

/* What is left beside whole vectors of ROWS rows: one function for all variants, which saves 26 KB a level. */
__attribute__((noinline)) static void reduce_rest(const thaw_channel_pass *p, size_t row, size_t rows, size_t c,
                                                  variant v, double *sums, double *products)
{
    for (; c < p->channels; c += LANES)
        reduce_vector(p, row, rows, c, v, sums, products, p->channels - c < LANES ? p->channels - c : LANES);
}

INLINE void reduce_all(const thaw_channel_pass *p, size_t begin, size_t end, variant v, double *sums, double *products)
{
    const size_t whole = p->channels / LANES * LANES;
    size_t row = begin;
    for (; row + ROWS <= end; row += ROWS) {
        for (size_t c = 0; c < whole; c += LANES)
            reduce_vector(p, row, ROWS, c, v, sums, products, LANES);
        if (whole < p->channels)
            reduce_rest(p, row, ROWS, whole, v, sums, products);
    }
    for (; row < end; row++)
        reduce_rest(p, row, 1, 0, v, sums, products);
}

/* The sums of dz, if dz is given and nothing else is wanted. With no other pointers for the compiler to consider,
   this takes 0.6 of the time. */
INLINE void sum_vector(const void *values, size_t at, size_t rows, size_t channels, bool bf16, double *sums,
                       size_t count)
{
    lanes sum = load_at(values, at, count, bf16);
    for (size_t i = 1; i < rows; i++)
        sum += load_at(values, at + i * channels, count, bf16);
    add(sums, sum, count);
}

INLINE void sum_rows(const void *values, size_t row, size_t rows, size_t channels, bool bf16, double *sums)
{
    const size_t first = row * channels, whole = channels / LANES * LANES;
    for (size_t c = 0; c < whole; c += LANES)
        sum_vector(values, first + c, rows, channels, bf16, sums + c, LANES);
    if (whole < channels)
        sum_vector(values, first + whole, rows, channels, bf16, sums + whole, channels - whole);
}

INLINE void sum_all(const thaw_channel_pass *p, size_t begin, size_t end, bool bf16, double *sums)
{
    const size_t channels = p->channels;
    size_t row = begin;
    for (; row + ROWS <= end; row += ROWS)
        sum_rows(p->output_gradient, row, ROWS, channels, bf16, sums);
    for (; row < end; row++)
        sum_rows(p->output_gradient, row, 1, channels, bf16, sums);
}

INLINE void measure_rows(const thaw_channel_pass *p, size_t row, size_t rows, variant v, double *sums, double *squares)
{
    const size_t whole = p->channels / LANES * LANES;
    for (size_t c = 0; c < whole; c += LANES)
        measure_vector(p, row, rows, c, v, sums, squares, LANES);
    if (whole < p->channels)
        measure_vector(p, row, rows, whole, v, sums, squares, p->channels - whole);
}

INLINE void measure_all(const thaw_channel_pass *p, size_t begin, size_t end, variant v, double *sums, double *squares)
{
    size_t row = begin;
    for (; row + ROWS <= end; row += ROWS)
        measure_rows(p, row, ROWS, v, sums, squares);
    for (; row < end; row++)
        measure_rows(p, row, 1, v, sums, squares);
}

/* ---- choosing the variant ---- */

typedef enum task { NORMALISE, DIFFERENTIATE, MEASURE, REDUCE } task;

INLINE void walk(task what, const thaw_channel_pass *p, size_t begin, size_t end, variant v, double *sums,
                 double *others)
{
    if (what == NORMALISE)
        normalise_rows(p, begin, end, v);
    else if (what == DIFFERENTIATE)
        differentiate_rows(p, begin, end, v);
    else if (what == MEASURE)
        measure_all(p, begin, end, v, sums, others);
    else
        reduce_all(p, begin, end, v, sums, others);
}

/* Inlined with a constant task, and with each variant as a constant. */
INLINE void tell_apart(task what, const thaw_channel_pass *p, size_t begin, size_t end, variant v, double *sums,
                       double *others)
{
    if (v.activation == THAW_ACTIVATION_NONE)
        walk(what, p, begin, end, (variant){ THAW_ACTIVATION_NONE, v.bf16, false }, sums, others);
    else if (v.activation == THAW_ACTIVATION_RELU && v.result)
        walk(what, p, begin, end, (variant){ THAW_ACTIVATION_RELU, v.bf16, true }, sums, others);
    else if (v.activation == THAW_ACTIVATION_RELU)
        walk(what, p, begin, end, (variant){ THAW_ACTIVATION_RELU, v.bf16, false }, sums, others);
    else
        walk(what, p, begin, end, (variant){ THAW_ACTIVATION_RELU6, v.bf16, v.result }, sums, others);
}

INLINE void run(task what, const thaw_channel_pass *p, size_t begin, size_t end, thaw_activation activation,
                double *sums, double *others)
{
    if (p->precision == THAW_F32)
        tell_apart(what, p, begin, end, (variant){ activation, false, p->result }, sums, others);
    else
        tell_apart(what, p, begin, end, (variant){ activation, true, p->result }, sums, others);
}

static void normalise(const thaw_channel_pass *p, size_t begin, size_t end)
{
    run(NORMALISE, p, begin, end, p->activation, NULL, NULL);
}

static void differentiate(const thaw_channel_pass *p, size_t begin, size_t end)
{
    run(DIFFERENTIATE, p, begin, end, p->masked ? THAW_ACTIVATION_NONE : p->activation, NULL, NULL);
}

static void measure(const thaw_channel_pass *p, size_t begin, size_t end, double *sums, double *squares)
{
    memset(sums, 0, p->channels * sizeof(double));
    memset(squares, 0, p->channels * sizeof(double));
    run(MEASURE, p, begin, end, THAW_ACTIVATION_NONE, sums, squares);
}

static void reduce(const thaw_channel_pass *p, size_t begin, size_t end, double *sums, double *products)
{
    memset(sums, 0, p->channels * sizeof(double));
    if (products)
        memset(products, 0, p->channels * sizeof(double));
    const bool plain = !products && !p->slope && p->activation == THAW_ACTIVATION_NONE;
    if (plain && p->precision == THAW_F32)
        sum_all(p, begin, end, false, sums);
    else if (plain)
        sum_all(p, begin, end, true, sums);
    else
        run(REDUCE, p, begin, end, p->activation, sums, products);
}

/* The name is one of pass_loops.h, by the build's -D. */
const thaw_pass_functions thaw_pass_loops = {
    .normalise = normalise,
    .differentiate = differentiate,
    .measure = measure,
    .reduce = reduce,
};
