#include "kernels/attention_head.h"
#include "kernels/attention_softmax.h"

/* The rows of one head, and memory. */
typedef struct head {
    const thaw_attention_job *job;
    const thaw_attention_part *part;
    size_t key_count; /* that count */
    head_rows query, key, value, output;
    float *keys, *values; /* packed */
    float *queries, *scores, *sums, *floats;
    float largest[QUERIES], total[QUERIES]; /* of each query of a block, over the keys so far */
} head;

static head open_head(const thaw_attention_job *job, const thaw_attention_part *part, float *memory)
{
    const thaw_attention_sizes *a = job->of;
    const size_t width = thaw_attention_padded(a->width), values = thaw_attention_padded(a->value_width);
    head h = {
        .job = job,
        .part = part,
        .key_count = key_count_of(job, part),
        .query = rows_of(job, part, job->query, a->queries, a->width),
        .key = rows_of(job, part, job->key, a->keys, a->width),
        .value = rows_of(job, part, job->value, a->keys, a->value_width),
        .output = rows_of(job, part, job->output, a->queries, a->value_width),
        .keys = memory,
    };
    h.values = h.keys + thaw_attention_panel_floats(a->keys, width);
    h.queries = h.values + a->keys * values;
    h.scores = h.queries + QUERIES * width;
    h.sums = h.scores + THAW_ATTENTION_SCORES;
    h.floats = h.sums + QUERIES * values;
    return h;
}

/* ---- a block of queries and a block of keys ---- */

static void multiply_scores(const head *h, size_t queries, size_t first_key, size_t width)
{
    const size_t depth = h->query.width;
    multiply_columns(queries, width, depth, (tile_left){ h->queries, 1, MOST_ROWS }, MOST_ROWS * depth,
                     (tile_right){ h->keys + first_key * depth, COLUMNS }, COLUMNS * depth,
                     (tile_sums){ h->scores, KEYS, false });
}

static void multiply_values(const head *h, size_t queries, size_t first_key, size_t keys, bool add)
{
    const size_t columns = thaw_attention_padded(h->value.width);
    multiply_columns(queries, columns, keys, (tile_left){ h->scores, KEYS, 1 }, (size_t)MOST_ROWS * KEYS,
                     (tile_right){ h->values + first_key * columns, columns }, COLUMNS,
                     (tile_sums){ h->sums, columns, add });
}

static void drop_weights(const head *h, size_t query, size_t first_key, size_t keys, float *weights)
{
    float scales[KEYS];
    draw_scales(h->job, h->part, query, first_key, keys, scales);
    for (size_t j = 0; j < keys; j++)
        weights[j] *= scales[j];
}

/* Scores of row r become weights, relative to the largest score so far; what was summed before becomes so, too. */
static void weigh_row(head *h, size_t r, size_t query, size_t first_key, size_t keys, size_t width)
{
    const thaw_attention_sizes *a = h->job->of;
    const size_t counted = count_keys(h->job, h->key_count, query + 1, first_key),
                 columns = thaw_attention_padded(h->value.width);
    float *scores = h->scores + r * KEYS;
    mask_scores(scores, counted, width);
    if (h->job->bias)
        add_bias(scores, h->job->bias + bias_at(h->job, h->part, query) + first_key, counted);
    const float before = first_key ? h->largest[r] : -FLT_MAX, largest = largest_score(scores, width, before);
    const float sum = exponentials(scores, width, largest), factor = exponential(all(before - largest))[0];
    h->total[r] = first_key ? h->total[r] * factor + sum : sum;
    h->largest[r] = largest;
    if (a->threshold)
        drop_weights(h, query, first_key, keys, scores);
    for (size_t c = 0; first_key && c < columns; c += LANES)
        store_floats(h->sums + r * columns + c, load_floats(h->sums + r * columns + c) * factor);
}

/* ---- a block of queries ---- */

/* A query of which no key counts has a sum of zero: its output is zeros. */
static void finish_rows(const head *h, size_t first, size_t count)
{
    const size_t columns = thaw_attention_padded(h->value.width);
    float *log_sums = h->job->log_sums;
    for (size_t r = 0; r < count; r++) {
        const float total = h->total[r];
        store_row(&h->output, first + r, h->sums + r * columns, total == 0 ? 0 : 1 / total);
        if (log_sums)
            log_sums[log_sum_at(h->job, h->part, first + r)] = total == 0 ? INFINITY : h->largest[r] + logf(total);
    }
}

static void attend_block(head *h, size_t first, size_t count)
{
    const thaw_attention_job *job = h->job;
    size_t keys;
    pack_left(h->query, first, count, job->of->scale, h->queries, h->floats);
    for (size_t k = 0; (keys = count_keys(job, h->key_count, first + count, k)) > 0; k += KEYS) {
        const size_t width = thaw_attention_rounded(keys, THAW_ATTENTION_COLUMNS);
        multiply_scores(h, count, k, width);
        for (size_t r = 0; r < count; r++)
            weigh_row(h, r, first + r, k, keys, width);
        multiply_values(h, count, k, keys, k > 0);
    }
    finish_rows(h, first, count);
}

void thaw_attention_forward_part(const thaw_attention_job *job, const thaw_attention_part *part, float *memory)
{
    head h = open_head(job, part, memory);
    const size_t past = past_query_of(job, part);
    if (past > part->first_query) {
        const size_t keys = job->of->causal ? smaller(h.key_count, past) : h.key_count;
        pack_right(h.key, 0, keys, h.keys, h.floats);
        pack_rows(h.value, 0, keys, 1, h.values);
    }
    for (size_t i = part->first_query; i < past; i += QUERIES)
        attend_block(&h, i, smaller(QUERIES, past - i));
    clear_rows(&h.output, past, part->past_query);
}
