/* Softmax cross-entropy of logits against labels, with PyTorch's options: class weights w, label smoothing s over K
   classes, an ignored label. With t_j = (1 - s) w_y [j = y] + s / K w_j, a sample's loss is -sum_j t_j log p_j, and its
   gradient p_j sum(t) - t_j. The mean divides by the sum of w_y. */
#include <math.h>
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

#include "layers/cross_entropy.h"

/* The fewest elements of a thread. */
enum { GRAIN = 4096 };

typedef struct loss {
    const thaw_softmax_cross_entropy_options *options;
    size_t batch, classes;
    double weight_sum; /* of all classes */
    double total;      /* of the last batch, as are the weights, for `weigh` */
    thaw_label_weights weights;
    bool training;
} loss;

/* What forward keeps for backward. */
typedef struct kept {
    double scale; /* of the samples' losses: 1 / sum of weights, or 1 */
    _Alignas(64) float probabilities[];
} kept;

/* One call's data, for the loops over samples. */
typedef struct pass {
    const loss *layer;
    const float *logits;
    const int32_t *labels;
    double mixed;   /* thaw_layer_run.mixed */
    kept *kept;     /* NULL in inference */
    double *losses; /* of the samples, before scaling; forward */
    float *gradient;
} pass;

static double weight_of(const loss *l, size_t class)
{
    return thaw_cross_entropy_weight(l->options, class);
}

static bool is_ignored(const loss *l, int32_t label)
{
    return thaw_cross_entropy_ignores(l->options, label);
}

static thaw_status adopt_options(thaw_layer_builder *builder, void *options)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the logits have shape %s, must be [classes]",
                                 thaw_shape_format(input, text, sizeof text));
    return thaw_cross_entropy_adopt_options(builder, options);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    loss *l = thaw_allocate(demand->context, sizeof *l);
    if (!l)
        return THAW_OUT_OF_MEMORY;
    l->options = demand->options;
    l->batch = (size_t)demand->batch;
    l->classes = (size_t)demand->inputs[0].dims[0];
    l->training = demand->training;
    for (size_t class = 0; class < l->classes; class ++)
        l->weight_sum += weight_of(l, class);
    needs->state = l;
    needs->workspace_bytes = l->training ? sizeof(kept) + l->batch * l->classes * sizeof(float) : 0;
    needs->scratch_bytes = l->batch * sizeof(double);
    needs->kernel = "softmax + cross-entropy";
    return THAW_OK;
}

/* Returns the sum of exp(z - largest), with the largest logit z: log(sum(exp(z))) is its logarithm plus `largest`.
   `exponentials` receives the terms, and may be NULL. */
static double sum_exponentials(const float *logits, size_t classes, float *exponentials, float *largest)
{
    float most = logits[0];
    for (size_t j = 1; j < classes; j++)
        most = logits[j] > most ? logits[j] : most;
    double sum = 0;
    for (size_t j = 0; j < classes; j++) {
        const float exponential = expf(logits[j] - most);
        sum += (double)exponential;
        if (exponentials)
            exponentials[j] = exponential;
    }
    *largest = most;
    return sum;
}

static double sample_loss(const loss *l, const float *logits, size_t label, double log_sum)
{
    const double smoothing = l->options->label_smoothing;
    double total = (1 - smoothing) * weight_of(l, label) * (log_sum - (double)logits[label]);
    if (smoothing == 0)
        return total;
    double spread = 0;
    for (size_t j = 0; j < l->classes; j++)
        spread += weight_of(l, j) * (log_sum - (double)logits[j]);
    return total + smoothing / (double)l->classes * spread;
}

/* The label that is mixed with that of a sample: its own if nothing is. */
static int32_t other_label(const pass *p, size_t sample)
{
    return p->labels[p->mixed > 0 ? (sample ? sample : p->layer->batch) - 1 : sample];
}

static void forward_samples(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const loss *l = p->layer;
    for (size_t n = begin; n < end; n++) {
        const float *logits = p->logits + n * l->classes;
        float *probabilities = p->kept ? p->kept->probabilities + n * l->classes : NULL, largest;
        const int32_t label = p->labels[n], other = other_label(p, n);
        p->losses[n] = 0;
        if (is_ignored(l, label) && is_ignored(l, other))
            continue;
        const double sum = sum_exponentials(logits, l->classes, probabilities, &largest);
        const double log_sum = (double)largest + log(sum);
        p->losses[n] = is_ignored(l, label) ? 0 : (1 - p->mixed) * sample_loss(l, logits, (size_t)label, log_sum);
        if (p->mixed > 0 && !is_ignored(l, other))
            p->losses[n] += p->mixed * sample_loss(l, logits, (size_t)other, log_sum);
        for (size_t j = 0; probabilities && j < l->classes; j++)
            probabilities[j] = (float)((double)probabilities[j] / sum);
    }
}

static size_t grain_of(const loss *l)
{
    return l->classes < GRAIN ? GRAIN / l->classes : 1;
}

static thaw_status forward(const thaw_layer_run *run)
{
    loss *l = run->state;
    const thaw_label_batch labels = { run->target, l->batch, 1, l->classes };
    const thaw_status status = thaw_cross_entropy_sum_weights(run->context, l->options, labels, &l->weights);
    if (status != THAW_OK)
        return status;
    const double scale = thaw_cross_entropy_scale(l->options, l->weights);
    pass p = {
        .layer = l,
        .logits = run->inputs[0],
        .labels = run->target,
        .mixed = run->mixed,
        .kept = l->training ? run->workspace : NULL,
        .losses = run->scratch,
    };
    if (p.kept)
        p.kept->scale = scale;
    thaw_parallel_for(run->context, l->batch, grain_of(l), forward_samples, &p);
    l->total = 0;
    for (size_t n = 0; n < l->batch; n++)
        l->total += p.losses[n];
    float *output = run->output;
    *output = (float)(l->total * scale);
    return THAW_OK;
}

static void backward_samples(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const loss *l = p->layer;
    const double scale = p->kept->scale, smoothing = l->options->label_smoothing;
    for (size_t n = begin; n < end; n++) {
        float *gradient = p->gradient + n * l->classes;
        const int32_t label = p->labels[n], other = other_label(p, n);
        if (is_ignored(l, label) && is_ignored(l, other)) {
            memset(gradient, 0, l->classes * sizeof *gradient);
            continue;
        }
        const float *probabilities = p->kept->probabilities + n * l->classes;
        const double own_share = is_ignored(l, label) ? 0 : 1 - p->mixed;
        const double other_share = is_ignored(l, other) ? 0 : p->mixed;
        const double hard = own_share > 0 ? own_share * (1 - smoothing) * weight_of(l, (size_t)label) : 0;
        const double mixed = other_share > 0 ? other_share * (1 - smoothing) * weight_of(l, (size_t)other) : 0;
        const double soft = (own_share + other_share) * smoothing / (double)l->classes;
        const double targets = hard + mixed + soft * l->weight_sum;
        for (size_t j = 0; j < l->classes; j++) {
            const double target =
                ((int32_t)j == label ? hard : 0) + ((int32_t)j == other ? mixed : 0) + soft * weight_of(l, j);
            gradient[j] = (float)(scale * (targets * (double)probabilities[j] - target));
        }
    }
}

static thaw_status backward(const thaw_layer_run *run)
{
    const loss *l = run->state;
    pass p = { .layer = l,
               .labels = run->target,
               .mixed = run->mixed,
               .kept = run->workspace,
               .gradient = run->input_gradients[0] };
    if (p.gradient)
        thaw_parallel_for(run->context, l->batch, grain_of(l), backward_samples, &p);
    return THAW_OK;
}

static void weigh(const thaw_layer_run *run, double *total, double *weight)
{
    const loss *l = run->state;
    thaw_cross_entropy_weigh(run, l->options, l->total, l->weights, total, weight);
}

static const thaw_layer_capabilities capabilities = { .size = sizeof capabilities, .mixes_targets = true };

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "softmax_cross_entropy",
    .options_size = sizeof(thaw_softmax_cross_entropy_options),
    .loss = true,
    .adopt_options = adopt_options,
    .release_options = thaw_cross_entropy_release_options,
    .build = thaw_cross_entropy_build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .weigh = weigh,
    .capabilities = &capabilities,
};

thaw_status thaw_softmax_cross_entropy(thaw_model *model, thaw_node logits,
                                       const thaw_softmax_cross_entropy_options *options, thaw_node *output)
{
    const thaw_softmax_cross_entropy_options settings = options ? *options : (thaw_softmax_cross_entropy_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &logits, 1, &settings, output);
}
