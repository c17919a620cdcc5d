#include "kernels/attention_head.h"
#include "kernels/attention_softmax.h"

/* The rows of one head, and memory. Slopes are the output's gradient. */
typedef struct head {
    const thaw_attention_job *job;
    const thaw_attention_part *part;
    size_t key_count, past_query; /* that count */
    head_rows query, key, value, output, slope;
    head_rows query_gradient, key_gradient, value_gradient;  /* without values: not wanted here */
    bool scores_too;                                         /* the gradient of the scores is wanted */
    float *keys, *values, *key_rows, *key_sums, *value_sums; /* of a block of keys; sums are gradients */
    float *queries, *query_rows, *slopes, *slope_rows;       /* of a block of queries */
    float *weights, *gradients;                              /* of both blocks: weights, and the scores' gradients */
    float *query_sums;                                       /* of all queries */
    float *floats;
    float log_sums[QUERIES], products[QUERIES]; /* of a query: the product of slope and output */
} head;

static void divide_memory(head *h, float *memory)
{
    const thaw_attention_sizes *a = h->job->of;
    const size_t width = thaw_attention_padded(a->width), values = thaw_attention_padded(a->value_width);
    const size_t keys = thaw_attention_block_keys(a);
    h->keys = memory;
    h->values = h->keys + thaw_attention_panel_floats(keys, width);
    h->key_rows = h->values + thaw_attention_panel_floats(keys, values);
    h->key_sums = h->key_rows + keys * width;
    h->value_sums = h->key_sums + keys * width;
    h->queries = h->value_sums + keys * values;
    h->query_rows = h->queries + QUERIES * width;
    h->slopes = h->query_rows + QUERIES * width;
    h->slope_rows = h->slopes + QUERIES * values;
    h->weights = h->slope_rows + QUERIES * values;
    h->gradients = h->weights + THAW_ATTENTION_SCORES;
    h->query_sums = h->gradients + THAW_ATTENTION_SCORES;
    h->floats = h->query_sums + a->queries * width;
}

static head open_head(const thaw_attention_job *job, const thaw_attention_part *part, float *memory)
{
    const thaw_attention_sizes *a = job->of;
    const thaw_attention_rows none = { 0 };
    head h = {
        .job = job,
        .part = part,
        .key_count = key_count_of(job, part),
        .past_query = past_query_of(job, part),
        .query = rows_of(job, part, job->query, a->queries, a->width),
        .key = rows_of(job, part, job->key, a->keys, a->width),
        .value = rows_of(job, part, job->value, a->keys, a->value_width),
        .output = rows_of(job, part, job->output, a->queries, a->value_width),
        .slope = rows_of(job, part, job->output_gradient, a->queries, a->value_width),
        .query_gradient = rows_of(job, part, part->query_side ? job->query_gradient : none, a->queries, a->width),
        .key_gradient = rows_of(job, part, part->key_side ? job->key_gradient : none, a->keys, a->width),
        .value_gradient = rows_of(job, part, part->key_side ? job->value_gradient : none, a->keys, a->value_width),
    };
    h.scores_too = h.query_gradient.values || h.key_gradient.values || (part->query_side && job->bias_gradient);
    divide_memory(&h, memory);
    return h;
}

/* ---- products ---- */

/* Rows of a block of queries times keys or values. */
static void multiply_panels(const float *left, const float *panels, size_t depth, size_t queries, size_t width,
                            float *into)
{
    multiply_columns(queries, width, depth, (tile_left){ left, 1, MOST_ROWS }, MOST_ROWS * depth,
                     (tile_right){ panels, COLUMNS }, COLUMNS * depth, (tile_sums){ into, KEYS, false });
}

/* Adds, for each key, the rows of queries or slopes by its weights. */
static void add_transposed(const float *weights, const float *rows, size_t columns, size_t queries, size_t keys,
                           float *sums)
{
    multiply_columns(keys, columns, queries, (tile_left){ weights, 1, KEYS }, MOST_ROWS, (tile_right){ rows, columns },
                     COLUMNS, (tile_sums){ sums, columns, true });
}

/* The scores' gradients times keys. */
static void multiply_keys(const head *h, size_t first, size_t queries, size_t keys, bool add)
{
    const size_t columns = thaw_attention_padded(h->key.width);
    multiply_columns(queries, columns, keys, (tile_left){ h->gradients, KEYS, 1 }, (size_t)MOST_ROWS * KEYS,
                     (tile_right){ h->key_rows, columns }, COLUMNS,
                     (tile_sums){ h->query_sums + (first - h->part->first_query) * columns, columns, add });
}

/* ---- a row of scores ---- */

/* gradient = weight * (gradient - product): the derivative of the softmax. */
static void differentiate(float *restrict gradients, const float *restrict weights, size_t width, float product)
{
    for (size_t j = 0; j < width; j += LANES)
        store_floats(gradients + j, load_floats(weights + j) * (load_floats(gradients + j) - product));
}

static void scale_row(float *restrict values, const float *restrict scales, size_t count)
{
    for (size_t j = 0; j < count; j++)
        values[j] *= scales[j];
}

static void add_row(float *restrict sums, const float *restrict terms, size_t count)
{
    for (size_t j = 0; j < count; j++)
        sums[j] += terms[j];
}

/* Scores become weights again, as dropped in forward, and the weights' gradients those of the scores. */
static void differentiate_row(const head *h, size_t r, size_t query, size_t first_key, size_t keys, size_t width)
{
    const thaw_attention_job *job = h->job;
    const size_t counted = count_keys(job, h->key_count, query + 1, first_key);
    float *weights = h->weights + r * KEYS, *gradients = h->gradients + r * KEYS, scales[KEYS];
    mask_scores(weights, counted, width);
    if (job->bias)
        add_bias(weights, job->bias + bias_at(job, h->part, query) + first_key, counted);
    exponentials(weights, width, h->log_sums[r]);
    if (job->of->threshold)
        draw_scales(job, h->part, query, first_key, keys, scales);
    if (h->scores_too) {
        if (job->of->threshold)
            scale_row(gradients, scales, keys);
        differentiate(gradients, weights, width, h->products[r]);
    }
    if (job->of->threshold)
        scale_row(weights, scales, keys);
    if (job->bias_gradient && h->part->query_side)
        add_row(job->bias_gradient + bias_at(job, h->part, query) + first_key, gradients, counted);
}

/* ---- blocks ---- */

static float dot(const head_rows *left, const head_rows *right, size_t row)
{
    const void *a = row_at(left, row), *b = row_at(right, row);
    lanes sum = { 0 };
    for (size_t c = 0; c < left->width; c += LANES)
        sum += left->bf16 ? load_part(a, c, left->width - c, true) * load_part(b, c, left->width - c, true)
                          : load_part(a, c, left->width - c, false) * load_part(b, c, left->width - c, false);
    return fold_lanes(sum, true);
}

static void pack_queries(head *h, size_t first, size_t count)
{
    const float scale = h->job->of->scale;
    pack_left(h->query, first, count, scale, h->queries, h->floats);
    if (h->scores_too)
        pack_left(h->slope, first, count, 1, h->slopes, h->floats);
    if (h->key_gradient.values)
        pack_rows(h->query, first, count, scale, h->query_rows);
    if (h->value_gradient.values)
        pack_rows(h->slope, first, count, 1, h->slope_rows);
    for (size_t r = 0; r < count; r++) {
        h->log_sums[r] = h->job->log_sums[log_sum_at(h->job, h->part, first + r)];
        h->products[r] = h->scores_too ? dot(&h->slope, &h->output, first + r) : 0;
    }
}

static void differentiate_block(head *h, size_t first, size_t count, size_t first_key, size_t keys)
{
    const size_t width = thaw_attention_rounded(keys, THAW_ATTENTION_COLUMNS);
    pack_queries(h, first, count);
    multiply_panels(h->queries, h->keys, h->query.width, count, width, h->weights);
    if (h->scores_too)
        multiply_panels(h->slopes, h->values, h->value.width, count, width, h->gradients);
    for (size_t r = 0; r < count; r++)
        differentiate_row(h, r, first + r, first_key, keys, width);
    if (h->value_gradient.values)
        add_transposed(h->weights, h->slope_rows, thaw_attention_padded(h->value.width), count, keys, h->value_sums);
    if (h->key_gradient.values)
        add_transposed(h->gradients, h->query_rows, thaw_attention_padded(h->key.width), count, keys, h->key_sums);
    if (h->query_gradient.values)
        multiply_keys(h, first, count, keys, first_key > 0);
}

static void clear_sums(const head *h, size_t keys)
{
    if (h->key_gradient.values)
        memset(h->key_sums, 0, keys * thaw_attention_padded(h->key.width) * sizeof *h->key_sums);
    if (h->value_gradient.values)
        memset(h->value_sums, 0, keys * thaw_attention_padded(h->value.width) * sizeof *h->value_sums);
}

static void store_sums(const head_rows *gradient, size_t first, size_t count, const float *sums)
{
    for (size_t r = 0; gradient->values && r < count; r++)
        store_row(gradient, first + r, sums + r * thaw_attention_padded(gradient->width), 1);
}

static void differentiate_keys(head *h, size_t first_key, size_t keys)
{
    pack_right(h->key, first_key, keys, h->keys, h->floats);
    if (h->scores_too)
        pack_right(h->value, first_key, keys, h->values, h->floats);
    if (h->query_gradient.values)
        pack_rows(h->key, first_key, keys, h->job->of->scale, h->key_rows);
    clear_sums(h, keys);
    for (size_t i = h->part->first_query; i < h->past_query; i += QUERIES) {
        const size_t count = smaller(QUERIES, h->past_query - i);
        const size_t some = count_keys(h->job, first_key + keys, i + count, first_key);
        if (some > 0)
            differentiate_block(h, i, count, first_key, some);
    }
    store_sums(&h->key_gradient, first_key, keys, h->key_sums);
    store_sums(&h->value_gradient, first_key, keys, h->value_sums);
}

/* What no block writes. A bias that all heads share is cleared by the first. */
static void clear_gradients(const head *h)
{
    const thaw_attention_job *job = h->job;
    const thaw_attention_part *part = h->part;
    if (job->bias_gradient && part->query_side && (job->of->bias_heads > 1 || part->head == 0))
        memset(job->bias_gradient + bias_at(job, part, part->first_query), 0,
               (part->past_query - part->first_query) * job->of->keys * sizeof(float));
    const bool some = h->past_query > part->first_query;
    const size_t past_key = some && h->key_count > part->first_key ? h->key_count : part->first_key;
    if (h->query_gradient.values)
        clear_rows(&h->query_gradient, h->past_query, part->past_query);
    if (h->key_gradient.values)
        clear_rows(&h->key_gradient, past_key, part->past_key);
    if (h->value_gradient.values)
        clear_rows(&h->value_gradient, past_key, part->past_key);
}

void thaw_attention_backward_part(const thaw_attention_job *job, const thaw_attention_part *part, float *memory)
{
    head h = open_head(job, part, memory);
    const size_t past_key = h.past_query > part->first_query ? smaller(h.key_count, part->past_key) : part->first_key;
    clear_gradients(&h);
    for (size_t k = part->first_key; k < past_key; k += KEYS)
        differentiate_keys(&h, k, smaller(KEYS, past_key - k));
    store_sums(&h.query_gradient, part->first_query, h.past_query - part->first_query, h.query_sums);
}
