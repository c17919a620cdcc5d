#include "core/channel_loops.h"

#include "core/bfloat16.h"

/* Rows go through blocks of floats, because compilers do not vectorise a loop whose arrays may be one. */
enum { BLOCK = 128 };

static inline const void *at(const thaw_channel_rows *r, const void *matrix, size_t row)
{
    const size_t bytes = r->precision == THAW_F32 ? sizeof(float) : sizeof(thaw_bfloat16);
    return (const char *)matrix + row * r->channels * bytes;
}

static inline void load(float *restrict block, const void *row, size_t first, size_t count, bool narrow)
{
    if (narrow)
        for (size_t i = 0; i < count; i++)
            block[i] = thaw_bfloat16_widen(((const thaw_bfloat16 *)row)[first + i]);
    else
        memcpy(block, (const float *)row + first, count * sizeof *block);
}

static inline void store(void *row, size_t first, size_t count, const float *restrict block, bool narrow)
{
    if (narrow)
        for (size_t i = 0; i < count; i++)
            ((thaw_bfloat16 *)row)[first + i] = thaw_bfloat16_round(block[i]);
    else
        memcpy((float *)row + first, block, count * sizeof *block);
}

/* What one loop does to a block, of which x holds `inputs`, v `values`, and y becomes the result or is added to sums. */
typedef void step(const thaw_channel_rows *r, size_t first, size_t count, const float *restrict v,
                  const float *restrict x, float *restrict y);

/* Inlined with a constant step, so that each becomes a loop of its own. */
static inline __attribute__((always_inline)) void walk(const thaw_channel_rows *r, float *sums, step *one, bool narrow)
{
    float values[BLOCK], inputs[BLOCK], block[BLOCK];
    for (size_t row = 0; row < r->rows; row++)
        for (size_t first = 0; first < r->channels; first += BLOCK) {
            const size_t count = r->channels - first < BLOCK ? r->channels - first : BLOCK;
            if (r->values)
                load(values, at(r, r->values, row), first, count, narrow);
            if (r->inputs)
                load(inputs, at(r, r->inputs, row), first, count, narrow);
            one(r, first, count, values, inputs, sums ? sums + first : block);
            if (!sums)
                store((void *)(uintptr_t)at(r, r->result, row), first, count, block, narrow);
        }
}

static inline __attribute__((always_inline)) void walk_either(const thaw_channel_rows *r, float *sums, step *one)
{
    if (r->precision == THAW_F32)
        walk(r, sums, one, false);
    else
        walk(r, sums, one, true);
}

static inline void add_values(const thaw_channel_rows *r, size_t first, size_t count, const float *restrict v,
                              const float *restrict x, float *restrict y)
{
    (void)r, (void)first, (void)x;
    for (size_t i = 0; i < count; i++)
        y[i] += v[i];
}

static inline void add_squares(const thaw_channel_rows *r, size_t first, size_t count, const float *restrict v,
                               const float *restrict x, float *restrict y)
{
    const float *restrict mean = r->mean + first;
    (void)v;
    for (size_t i = 0; i < count; i++)
        y[i] += (x[i] - mean[i]) * (x[i] - mean[i]);
}

static inline void add_products(const thaw_channel_rows *r, size_t first, size_t count, const float *restrict v,
                                const float *restrict x, float *restrict y)
{
    const float *restrict mean = r->mean + first;
    for (size_t i = 0; i < count; i++)
        y[i] += v[i] * (x[i] - mean[i]);
}

static inline void normalise_block(const thaw_channel_rows *r, size_t first, size_t count, const float *restrict v,
                                   const float *restrict x, float *restrict y)
{
    const float *restrict mean = r->mean + first, *restrict scale = r->scale + first,
                          *restrict shift = r->shift + first;
    (void)v;
    for (size_t i = 0; i < count; i++)
        y[i] = (x[i] - mean[i]) * scale[i] + shift[i];
}

static inline void differentiate_block(const thaw_channel_rows *r, size_t first, size_t count, const float *restrict v,
                                       const float *restrict x, float *restrict y)
{
    const float *restrict mean = r->mean + first, *restrict factor = r->scale + first;
    const float *restrict constant = r->shift + first, *restrict linear = r->linear + first;
    for (size_t i = 0; i < count; i++)
        y[i] = v[i] * factor[i] + constant[i] + (x[i] - mean[i]) * linear[i];
}

static void sum(const thaw_channel_rows *r, float *sums)
{
    walk_either(r, sums, add_values);
}

static void sum_squares(const thaw_channel_rows *r, float *sums)
{
    walk_either(r, sums, add_squares);
}

static void sum_products(const thaw_channel_rows *r, float *sums)
{
    walk_either(r, sums, add_products);
}

static void normalise(const thaw_channel_rows *r)
{
    walk_either(r, NULL, normalise_block);
}

static void differentiate(const thaw_channel_rows *r)
{
    walk_either(r, NULL, differentiate_block);
}

/* The name is one of channel_loops.h, by the build's -D. */
const thaw_channel_functions thaw_channel_loops = { sum, sum_squares, sum_products, normalise, differentiate };
