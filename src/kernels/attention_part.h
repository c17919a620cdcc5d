/* A part of an attention that one thread computes: one head of one sample, or some of its queries. Built for each level
   of the CPU's instructions. */
#ifndef THAW_KERNELS_ATTENTION_PART_H
#define THAW_KERNELS_ATTENTION_PART_H

#include "core/cpu.h"
#include "kernels/attention.h"

enum {
    THAW_ATTENTION_QUERIES = 24, /* of a block */
    THAW_ATTENTION_KEYS = 256,   /* of a block */
    THAW_ATTENTION_PANEL = 32,   /* keys are packed in panels of at most so many */
    THAW_ATTENTION_COLUMNS = 16  /* packed rows are padded to a multiple of this */
};

/* Keys and queries begin at multiples of a block. */
typedef struct thaw_attention_part {
    size_t sample, head;
    size_t first_query, past_query;
    size_t first_key, past_key; /* of backward */
    bool query_side, key_side;  /* of backward: write the gradients of queries and bias; those of keys and values */
} thaw_attention_part;

/* Computes a part in `memory`, of thaw_attention_forward_floats or thaw_attention_backward_floats. */
typedef void thaw_attention_function(const thaw_attention_job *job, const thaw_attention_part *part, float *memory);

THAW_DECLARE_LEVELS(thaw_attention_function, thaw_attention_forward_part);
THAW_DECLARE_LEVELS(thaw_attention_function, thaw_attention_backward_part);

static inline size_t thaw_attention_rounded(size_t count, size_t grain)
{
    return (count + grain - 1) / grain * grain;
}

/* The columns of a packed row. */
static inline size_t thaw_attention_padded(size_t width)
{
    return thaw_attention_rounded(width, THAW_ATTENTION_COLUMNS);
}

/* Memory is divided into arrays by these, each a multiple of 64 bytes. */
static inline size_t thaw_attention_panel_floats(size_t keys, size_t width)
{
    return thaw_attention_rounded(keys, THAW_ATTENTION_PANEL) * width;
}

static inline size_t thaw_attention_block_keys(const thaw_attention_sizes *a)
{
    return a->keys < THAW_ATTENTION_KEYS ? a->keys : THAW_ATTENTION_KEYS;
}

enum { THAW_ATTENTION_SCORES = THAW_ATTENTION_QUERIES * THAW_ATTENTION_KEYS };

/* Keys in panels, values in rows; of a block: queries interleaved, scores, sums; a panel's rows as floats. */
static inline size_t thaw_attention_forward_floats(const thaw_attention_sizes *a)
{
    const size_t width = thaw_attention_padded(a->width), values = thaw_attention_padded(a->value_width);
    return thaw_attention_panel_floats(a->keys, width) + a->keys * values + THAW_ATTENTION_QUERIES * (width + values) +
           THAW_ATTENTION_SCORES + THAW_ATTENTION_PANEL * (width > values ? width : values);
}

/* Of a block of keys: keys and values in panels, keys in rows, both sums; of a block of queries: queries and gradients
   interleaved and in rows, weights and their gradients, both of floats and once more; of all queries: their sums. */
static inline size_t thaw_attention_backward_floats(const thaw_attention_sizes *a)
{
    const size_t width = thaw_attention_padded(a->width), values = thaw_attention_padded(a->value_width);
    const size_t keys = thaw_attention_block_keys(a);
    return thaw_attention_panel_floats(keys, width + values) + keys * (2 * width + values) +
           THAW_ATTENTION_QUERIES * 2 * (width + values) + 2 * THAW_ATTENTION_SCORES + a->queries * width +
           THAW_ATTENTION_PANEL * (width > values ? width : values);
}

#endif
