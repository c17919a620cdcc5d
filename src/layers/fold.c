#include "layers/fold.h"

/* The fewest elements of a thread. */
enum { GRAIN = 1 << 14 };

size_t thaw_fold_weight_bytes(const thaw_fold *fold)
{
    return fold->outputs * fold->row * sizeof(float);
}

size_t thaw_fold_bias_bytes(const thaw_fold *fold)
{
    return fold->outputs * sizeof(float);
}

typedef struct scaling {
    size_t row;
    const float *from, *scale;
    float *into; /* may be `from` */
} scaling;

static void scale_rows(void *argument, size_t begin, size_t end)
{
    const scaling *s = argument;
    for (size_t i = begin; i < end; i++) {
        const float factor = s->scale[i];
        const float *from = s->from + i * s->row;
        float *into = s->into + i * s->row;
        for (size_t k = 0; k < s->row; k++)
            into[k] = factor * from[k];
    }
}

static void scale_weight(const thaw_fold *fold, const thaw_layer_run *run, const float *from, float *into)
{
    scaling s = { .row = fold->row, .from = from, .scale = run->capabilities->channel_scale, .into = into };
    thaw_parallel_for(run->context, fold->outputs, GRAIN / fold->row + 1, scale_rows, &s);
}

void thaw_fold_weight(const thaw_fold *fold, const thaw_layer_run *run, float *folded)
{
    scale_weight(fold, run, run->parameters[0], folded);
}

void thaw_fold_bias(const thaw_fold *fold, const thaw_layer_run *run, float *folded)
{
    for (size_t i = 0; i < fold->outputs; i++) {
        const float bias = fold->bias ? run->parameters[1][i] : 0;
        folded[i] = run->capabilities->channel_scale[i] * bias + run->capabilities->channel_shift[i];
    }
}

void thaw_fold_gradients(const thaw_fold *fold, const thaw_layer_run *run)
{
    float *weight = run->parameter_gradients[0], *bias = fold->bias ? run->parameter_gradients[1] : NULL;
    if (weight)
        scale_weight(fold, run, weight, weight);
    for (size_t i = 0; bias && i < fold->outputs; i++)
        bias[i] *= run->capabilities->channel_scale[i];
}
