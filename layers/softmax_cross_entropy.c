/* Softmax cross-entropy of logits against labels, with PyTorch's options: class weights w, label smoothing s over K
   classes, an ignored label. With t_j = (1 - s) w_y [j = y] + s / K w_j, a sample's loss is -sum_j t_j log p_j, and its
   gradient p_j sum(t) - t_j. The mean divides by the sum of w_y. */
#include <math.h>
#include <string.h>
#include <thaw/layer_module.h>
#include <thaw/layers.h>

/* The fewest elements of a thread. */
enum { GRAIN = 4096 };

typedef struct loss {
    const thaw_softmax_cross_entropy_options *options;
    size_t batch, classes;
    double weight_sum;    /* of all classes */
    double total, weight; /* of the last batch, for `weigh` */
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
    kept *kept;     /* NULL in inference */
    double *losses; /* of the samples, before scaling; forward */
    float *gradient;
} pass;

static double weight_of(const loss *l, size_t class)
{
    return l->options->class_weights ? (double)l->options->class_weights[class] : 1;
}

static bool is_ignored(const loss *l, int32_t label)
{
    return l->options->use_ignore_label && label == l->options->ignore_label;
}

static thaw_status check_options(thaw_layer_builder *builder, const thaw_softmax_cross_entropy_options *o)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 1)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the logits have shape %s, must be [classes]",
                                 thaw_shape_format(input, text, sizeof text));
    if (o->reduction != THAW_REDUCE_MEAN && o->reduction != THAW_REDUCE_SUM)
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                 "reduction is %d, must be THAW_REDUCE_MEAN or THAW_REDUCE_SUM", (int)o->reduction);
    if (!(o->label_smoothing >= 0 && o->label_smoothing <= 1))
        return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT, "label_smoothing is %g, must be from 0 to 1",
                                 o->label_smoothing);
    for (int64_t class = 0; o->class_weights && class < input->dims[0]; class ++)
        if (!(o->class_weights[class] >= 0) || !isfinite(o->class_weights[class]))
            return thaw_builder_fail(builder, THAW_INVALID_ARGUMENT,
                                     "the weight of class %lld is %g, must be finite and not negative",
                                     (long long)class, (double)o->class_weights[class]);
    return THAW_OK;
}

static thaw_status adopt_options(thaw_layer_builder *builder, void *options)
{
    thaw_softmax_cross_entropy_options *o = options;
    const thaw_status status = check_options(builder, o);
    if (status != THAW_OK || !o->class_weights)
        return status;
    const size_t bytes = (size_t)thaw_builder_input(builder, 0)->dims[0] * sizeof(float);
    float *copy = thaw_allocate(thaw_builder_context(builder), bytes);
    if (!copy)
        return THAW_OUT_OF_MEMORY;
    o->class_weights = memcpy(copy, o->class_weights, bytes);
    return THAW_OK;
}

static void release_options(thaw_context *context, void *options)
{
    const thaw_softmax_cross_entropy_options *o = options;
    thaw_release(context, (void *)(uintptr_t)o->class_weights);
}

static thaw_status build(thaw_layer_builder *builder, const void *options)
{
    const thaw_softmax_cross_entropy_options *o = options;
    const thaw_shape scalar = { .rank = 0 };
    if (o->use_ignore_label)
        thaw_builder_ignore_label(builder, o->ignore_label);
    if (o->reduction == THAW_REDUCE_SUM)
        thaw_builder_sum_loss(builder);
    thaw_builder_flops(builder, 4 * (double)thaw_builder_input(builder, 0)->dims[0]);
    const thaw_status status = thaw_builder_target(builder, THAW_I32, &scalar);
    return status == THAW_OK ? thaw_builder_output(builder, &scalar) : status;
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

/* Checks the labels. Adds the weights of the samples that count, and their number. */
static thaw_status sum_weights(const thaw_layer_run *run, const loss *l, double *sum, size_t *counted)
{
    const int32_t *labels = run->target;
    *sum = 0;
    *counted = 0;
    for (size_t n = 0; n < l->batch; n++) {
        if (is_ignored(l, labels[n]))
            continue;
        if (labels[n] < 0 || (size_t)labels[n] >= l->classes)
            return thaw_fail(run->context, THAW_INVALID_ARGUMENT,
                             "cross-entropy: sample %zu has label %d, must be from 0 to %zu", n, (int)labels[n],
                             l->classes - 1);
        *sum += weight_of(l, (size_t)labels[n]);
        ++*counted;
    }
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

static void forward_samples(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const loss *l = p->layer;
    for (size_t n = begin; n < end; n++) {
        const float *logits = p->logits + n * l->classes;
        float *probabilities = p->kept ? p->kept->probabilities + n * l->classes : NULL, largest;
        p->losses[n] = 0;
        if (is_ignored(l, p->labels[n]))
            continue;
        const double sum = sum_exponentials(logits, l->classes, probabilities, &largest);
        p->losses[n] = sample_loss(l, logits, (size_t)p->labels[n], (double)largest + log(sum));
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
    double weights;
    size_t counted;
    const thaw_status status = sum_weights(run, l, &weights, &counted);
    if (status != THAW_OK)
        return status;
    const bool mean = l->options->reduction == THAW_REDUCE_MEAN;
    const double scale = !mean ? 1 : weights > 0 ? 1 / weights : 0;
    pass p = {
        .layer = l,
        .logits = run->inputs[0],
        .labels = run->target,
        .kept = l->training ? run->workspace : NULL,
        .losses = run->scratch,
    };
    if (p.kept)
        p.kept->scale = scale;
    thaw_parallel_for(run->context, l->batch, grain_of(l), forward_samples, &p);
    double total = 0;
    for (size_t n = 0; n < l->batch; n++)
        total += p.losses[n];
    l->total = total;
    l->weight = mean ? weights : (double)counted;
    float *output = run->output;
    *output = (float)(total * scale);
    return THAW_OK;
}

static void backward_samples(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const loss *l = p->layer;
    const double scale = p->kept->scale, smoothing = l->options->label_smoothing;
    for (size_t n = begin; n < end; n++) {
        float *gradient = p->gradient + n * l->classes;
        if (is_ignored(l, p->labels[n])) {
            memset(gradient, 0, l->classes * sizeof *gradient);
            continue;
        }
        const float *probabilities = p->kept->probabilities + n * l->classes;
        const size_t label = (size_t)p->labels[n];
        const double hard = (1 - smoothing) * weight_of(l, label), soft = smoothing / (double)l->classes;
        const double targets = hard + soft * l->weight_sum;
        for (size_t j = 0; j < l->classes; j++) {
            const double target = (j == label ? hard : 0) + soft * weight_of(l, j);
            gradient[j] = (float)(scale * (targets * (double)probabilities[j] - target));
        }
    }
}

static thaw_status backward(const thaw_layer_run *run)
{
    const loss *l = run->state;
    pass p = { .layer = l, .labels = run->target, .kept = run->workspace, .gradient = run->input_gradients[0] };
    if (p.gradient)
        thaw_parallel_for(run->context, l->batch, grain_of(l), backward_samples, &p);
    return THAW_OK;
}

static void weigh(const thaw_layer_run *run, double *total, double *weight)
{
    const loss *l = run->state;
    const bool mean = l->options->reduction == THAW_REDUCE_MEAN;
    *weight = l->weight;
    /* The mean of one batch is its output, bit for bit. With weights of 0, smoothing still adds to the total. */
    *total = mean && l->weight > 0 ? (double)*(const float *)run->output * l->weight : l->total;
}

static const thaw_layer_module module = {
    .size = sizeof(thaw_layer_module),
    .abi = THAW_LAYER_ABI,
    .name = "softmax_cross_entropy",
    .options_size = sizeof(thaw_softmax_cross_entropy_options),
    .loss = true,
    .adopt_options = adopt_options,
    .release_options = release_options,
    .build = build,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .release = thaw_release,
    .weigh = weigh,
};

thaw_status thaw_softmax_cross_entropy(thaw_model *model, thaw_node logits,
                                       const thaw_softmax_cross_entropy_options *options, thaw_node *output)
{
    const thaw_softmax_cross_entropy_options settings = options ? *options : (thaw_softmax_cross_entropy_options){ 0 };
    return thaw_model_append(model, &module, settings.name, &logits, 1, &settings, output);
}
