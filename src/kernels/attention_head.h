/* One head of one sample: its rows, and what counts of them. */
#ifndef THAW_KERNELS_ATTENTION_HEAD_H
#define THAW_KERNELS_ATTENTION_HEAD_H

#include "kernels/attention_pack.h"

enum { QUERIES = THAW_ATTENTION_QUERIES, KEYS = THAW_ATTENTION_KEYS };

INLINE size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* How many of the sample's keys count. */
INLINE size_t key_count_of(const thaw_attention_job *job, const thaw_attention_part *part)
{
    return job->key_lengths ? (size_t)job->key_lengths[part->sample] : job->of->keys;
}

/* The end of the part's queries that count: none do if there is no key. */
INLINE size_t past_query_of(const thaw_attention_job *job, const thaw_attention_part *part)
{
    size_t past = part->past_query;
    if (job->query_lengths)
        past = smaller(past, (size_t)job->query_lengths[part->sample]);
    return key_count_of(job, part) > 0 && past > part->first_query ? past : part->first_query;
}

/* The keys of the block at `first_key` that some of the queries before `past_query` count. */
INLINE size_t count_keys(const thaw_attention_job *job, size_t key_count, size_t past_query, size_t first_key)
{
    size_t past = smaller(key_count, first_key + KEYS);
    if (job->of->causal)
        past = smaller(past, past_query);
    return past > first_key ? past - first_key : 0;
}

/* `count` rows a sample, each head `width` wide. */
INLINE head_rows rows_of(const thaw_attention_job *job, const thaw_attention_part *part, thaw_attention_rows rows,
                         size_t count, size_t width)
{
    const bool bf16 = job->of->precision == THAW_BF16;
    const size_t at = part->sample * count * rows.stride + part->head * width;
    return (head_rows){
        .values = rows.values ? (char *)rows.values + bytes_of(at, bf16) : NULL,
        .stride = rows.stride,
        .width = width,
        .bf16 = bf16,
    };
}

INLINE void *row_at(const head_rows *rows, size_t row)
{
    return (char *)rows->values + bytes_of(row * rows->stride, rows->bf16);
}

INLINE void store_part(void *row, size_t first, size_t count, lanes values, bool bf16)
{
    const halves rounded = __builtin_convertvector(round_upper(values) >> 16, halves);
    if (bf16)
        memcpy((uint16_t *)row + first, &rounded, bytes_of(count, true));
    else
        memcpy((float *)row + first, &values, bytes_of(count, false));
}

/* Whole vectors are stored apart, so that their size is a constant. */
INLINE void store_row(const head_rows *rows, size_t row, const float *from, float scale)
{
    void *into = row_at(rows, row);
    size_t c = 0;
    for (; c + LANES <= rows->width; c += LANES)
        store_part(into, c, LANES, load_floats(from + c) * scale, rows->bf16);
    if (c < rows->width)
        store_part(into, c, rows->width - c, load_floats(from + c) * scale, rows->bf16);
}

INLINE void clear_rows(const head_rows *rows, size_t first, size_t past)
{
    for (size_t i = first; i < past; i++)
        memset(row_at(rows, i), 0, bytes_of(rows->width, rows->bf16));
}

/* Where the query's row of the bias, or of its gradient, begins. */
INLINE size_t bias_at(const thaw_attention_job *job, const thaw_attention_part *part, size_t query)
{
    const thaw_attention_sizes *a = job->of;
    const size_t plane = part->sample * a->bias_heads + (a->bias_heads > 1 ? part->head : 0);
    return (plane * a->queries + query) * a->keys;
}

/* Where the query's logarithm of its sum is. */
INLINE size_t log_sum_at(const thaw_attention_job *job, const thaw_attention_part *part, size_t query)
{
    return (part->sample * job->of->heads + part->head) * job->of->queries + query;
}

#endif
