/* What attention computes on rows of scores. Rows are padded to whole vectors. */
#ifndef THAW_KERNELS_ATTENTION_SOFTMAX_H
#define THAW_KERNELS_ATTENTION_SOFTMAX_H

#include <float.h>
#include <math.h>

#include "kernels/attention_pack.h"
#include "kernels/lane_functions.h"

/* Scores from `count` on become -infinity. */
INLINE void mask_scores(float *scores, size_t count, size_t width)
{
    for (size_t j = count; j < width; j++)
        scores[j] = -INFINITY;
}

INLINE void add_bias(float *scores, const float *bias, size_t count)
{
    size_t j = 0;
    for (; j + LANES <= count; j += LANES)
        store_floats(scores + j, load_floats(scores + j) + load_floats(bias + j));
    for (; j < count; j++)
        scores[j] += bias[j];
}

/* The largest of them and `least`. */
INLINE float largest_score(const float *scores, size_t width, float least)
{
    lanes largest = all(least);
    for (size_t j = 0; j < width; j += LANES)
        largest = larger(load_floats(scores + j), largest);
    return fold_lanes(largest, false);
}

/* Scores become e^(score - shift). Returns their sum. */
INLINE float exponentials(float *scores, size_t width, float shift)
{
    lanes sum = { 0 };
    for (size_t j = 0; j < width; j += LANES) {
        const lanes weights = exponential(load_floats(scores + j) - shift);
        store_floats(scores + j, weights);
        sum += weights;
    }
    return fold_lanes(sum, true);
}

/* The scales of a query's weights for the keys from `first` on: 0, or kept_scale. A sample's numbers depend on its
   place in the step: the counter is [sample][head][query][key], with a multiple of 4 keys. */
static void draw_scales(const thaw_attention_job *job, const thaw_attention_part *part, size_t query, size_t first,
                        size_t count, float *scales)
{
    const thaw_attention_sizes *a = job->of;
    const uint64_t head = (job->random.origin + part->sample) * a->heads + part->head;
    thaw_stream stream = job->random;
    uint32_t numbers[THAW_ATTENTION_KEYS];
    stream.origin = 0;
    thaw_random_fill(job->context, &stream, (head * a->queries + query) * thaw_attention_rounded(a->keys, 4) + first,
                     count, numbers);
    for (size_t j = 0; j < count; j++)
        scales[j] = (int32_t)(numbers[j] >> 8) < (int32_t)a->threshold ? 0 : a->kept_scale;
}

#endif
