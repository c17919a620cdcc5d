#include "kernels/attention.h"

#include "core/context.h"
#include "core/threads.h"
#include "kernels/attention_part.h"

enum {
    KEY_GRAIN = THAW_ATTENTION_PANEL, /* the fewest keys of a part */
    LEAST_PRODUCTS = 1 << 17          /* multiply-adds that are worth a team */
};

/* How heads are divided into parts. */
typedef struct division {
    size_t heads;        /* that one thread computes one after the other: 1, or all of a sample */
    size_t count, grain; /* of queries or keys, which are divided in multiples of the grain */
    bool of_keys;        /* keys are divided, not queries */
    bool query_side, key_side;
} division;

typedef struct team {
    const thaw_attention_job *job;
    thaw_attention_function *function;
    float *scratch;
    size_t floats; /* of a thread */
    division divisions[2];
    size_t division_count;
} team;

static void run_heads(const team *t, const division *d, size_t group, size_t first, size_t past, float *memory)
{
    const thaw_attention_sizes *a = t->job->of;
    for (size_t h = group * d->heads; h < (group + 1) * d->heads; h++) {
        const thaw_attention_part part = {
            .sample = h / a->heads,
            .head = h % a->heads,
            .first_query = d->of_keys ? 0 : first,
            .past_query = d->of_keys ? a->queries : past,
            .first_key = d->of_keys ? first : 0,
            .past_key = d->of_keys ? past : a->keys,
            .query_side = d->query_side,
            .key_side = d->key_side,
        };
        t->function(t->job, &part, memory);
    }
}

static size_t smaller(size_t left, size_t right)
{
    return left < right ? left : right;
}

/* A thread's grains follow each other, so that it packs the other side of few heads twice. */
static void run_share(const team *t, const division *d, size_t member, size_t members)
{
    const thaw_attention_sizes *a = t->job->of;
    const size_t grains = (d->count + d->grain - 1) / d->grain, total = a->batch * a->heads / d->heads * grains;
    const size_t end = total * (member + 1) / members;
    for (size_t at = total * member / members; at < end;) {
        const size_t first = at % grains, past = smaller(grains, first + end - at);
        run_heads(t, d, at / grains, first * d->grain, smaller(past * d->grain, d->count),
                  t->scratch + member * t->floats);
        at += past - first;
    }
}

static void run_member(void *argument, int thread, int threads)
{
    const team *t = argument;
    for (size_t i = 0; i < t->division_count; i++)
        run_share(t, &t->divisions[i], (size_t)thread, (size_t)threads);
}

static void run(const team *t)
{
    const thaw_attention_sizes *a = t->job->of;
    if ((double)(a->batch * a->heads * a->queries) * (double)(a->keys * (a->width + a->value_width)) < LEAST_PRODUCTS)
        run_member((void *)(uintptr_t)t, 0, 1);
    else
        thaw_parallel(t->job->context, run_member, (void *)(uintptr_t)t);
}

void thaw_attention_forward(const thaw_attention_job *job, float *scratch)
{
    const thaw_attention_sizes *a = job->of;
    const team t = {
        .job = job,
        .function = THAW_FOR_LEVEL(job->context->level, thaw_attention_forward_part),
        .scratch = scratch,
        .floats = thaw_attention_forward_floats(a),
        .divisions = { { .heads = 1, .count = a->queries, .grain = THAW_ATTENTION_QUERIES } },
        .division_count = 1,
    };
    run(&t);
}

/* Whole heads if threads then get equal shares of them, or nearly: so they need five products of a block. The sides
   apart need seven, and have the same bits. The gradient of a bias that all heads share is summed by one thread. */
void thaw_attention_backward(const thaw_attention_job *job, float *scratch)
{
    const thaw_attention_sizes *a = job->of;
    const size_t heads = job->bias_gradient && a->bias_heads == 1 ? a->heads : 1;
    const size_t groups = a->batch * a->heads / heads, threads = (size_t)job->context->threads;
    team t = {
        .job = job,
        .function = THAW_FOR_LEVEL(job->context->level, thaw_attention_backward_part),
        .scratch = scratch,
        .floats = thaw_attention_backward_floats(a),
        .divisions = { { heads, a->queries, a->queries, false, true, true } },
        .division_count = 1,
    };
    if (groups % threads != 0 && groups < 4 * threads) {
        t.divisions[0] = (division){ heads, a->queries, THAW_ATTENTION_QUERIES, false, true, false };
        t.divisions[1] = (division){ 1, a->keys, KEY_GRAIN, true, false, true };
        t.division_count = 2;
    }
    run(&t);
}

size_t thaw_attention_forward_bytes(thaw_context *context, const thaw_attention_sizes *of)
{
    return (size_t)context->threads * thaw_attention_forward_floats(of) * sizeof(float);
}

size_t thaw_attention_backward_bytes(thaw_context *context, const thaw_attention_sizes *of)
{
    return (size_t)context->threads * thaw_attention_backward_floats(of) * sizeof(float);
}
