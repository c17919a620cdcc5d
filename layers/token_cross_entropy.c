/* Softmax cross-entropy of logits [tokens, classes] against a label for each token. Formulas: softmax_cross_entropy.c.
   With many classes the logits take most of a step's memory: no copy of them is kept. Backward computes the
   probabilities again, from the largest logit of each token and its sum of exponentials. */
#include <math.h>
#include <string.h>
#include <thaw/layer_capabilities.h>
#include <thaw/layer_module.h>

#include "kernels/cross_entropy.h"
#include "layers/cross_entropy.h"

/* The fewest elements of a thread. */
enum { GRAIN = 4096 };

typedef struct loss {
    const thaw_softmax_cross_entropy_options *options;
    const thaw_cross_entropy_functions *loops;
    size_t batch, tokens, classes;
    double weight_sum; /* of all classes */
    bool training;
    double total; /* of the last batch, as are the weights */
    thaw_label_weights weights;
} loss;

/* What forward keeps of a token for backward, and of the batch. */
typedef struct kept_token {
    double sum;
    float largest;
} kept_token;

typedef struct kept_batch {
    double scale;
    kept_token tokens[];
} kept_batch;

/* One call's data, for the loops over tokens. */
typedef struct pass {
    const loss *layer;
    const float *logits;
    const int32_t *labels;
    kept_batch *kept; /* NULL in inference */
    double *losses;   /* of the tokens, before scaling; forward */
    float *gradient;
} pass;

static thaw_status adopt_options(thaw_layer_builder *builder, void *options)
{
    const thaw_shape *input = thaw_builder_input(builder, 0);
    char text[80];
    if (input->rank != 2)
        return thaw_builder_fail(builder, THAW_SHAPE_MISMATCH, "the logits have shape %s, must be [tokens, classes]",
                                 thaw_shape_format(input, text, sizeof text));
    return thaw_cross_entropy_adopt_options(builder, options);
}

static thaw_status prepare(const thaw_layer_demand *demand, thaw_layer_needs *needs)
{
    loss *l = thaw_allocate(demand->context, sizeof *l);
    if (!l)
        return THAW_OUT_OF_MEMORY;
    const thaw_cpu_level level = thaw_context_cpu_level(demand->context);
    l->options = demand->options;
    l->loops = THAW_FOR_LEVEL(level, &thaw_cross_entropy_loops);
    l->batch = (size_t)demand->batch;
    l->tokens = (size_t)demand->inputs[0].dims[0];
    l->classes = (size_t)demand->inputs[0].dims[1];
    l->training = demand->training;
    for (size_t class = 0; class < l->classes; class ++)
        l->weight_sum += thaw_cross_entropy_weight(l->options, class);
    needs->state = l;
    needs->workspace_bytes = l->training ? sizeof(kept_batch) + l->batch * l->tokens * sizeof(kept_token) : 0;
    needs->scratch_bytes = l->batch * l->tokens * sizeof(double);
    needs->keeps_inputs = l->training;
    needs->kernel = "softmax + cross-entropy";
    return THAW_OK;
}

static double token_loss(const loss *l, const float *logits, size_t label, const thaw_logit_row *row)
{
    const double smoothing = l->options->label_smoothing, log_sum = (double)row->largest + log(row->sum);
    const double hard = (1 - smoothing) * thaw_cross_entropy_weight(l->options, label);
    const double loss_of_label = hard * (log_sum - (double)logits[label]);
    if (smoothing == 0)
        return loss_of_label;
    return loss_of_label + smoothing / (double)l->classes * (l->weight_sum * log_sum - row->total);
}

static void forward_tokens(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const loss *l = p->layer;
    for (size_t n = begin; n < end; n++) {
        const float *logits = p->logits + n * l->classes;
        p->losses[n] = 0;
        if (thaw_cross_entropy_ignores(l->options, p->labels[n]))
            continue;
        const thaw_logit_row row =
            l->loops->measure(logits, l->options->class_weights, l->classes, l->options->label_smoothing > 0);
        p->losses[n] = token_loss(l, logits, (size_t)p->labels[n], &row);
        if (p->kept)
            p->kept->tokens[n] = (kept_token){ row.sum, row.largest };
    }
}

static size_t grain_of(const loss *l)
{
    return l->classes < GRAIN ? GRAIN / l->classes : 1;
}

static thaw_status forward(const thaw_layer_run *run)
{
    loss *l = run->state;
    const thaw_label_batch labels = { run->target, l->batch, l->tokens, l->classes };
    const thaw_status status = thaw_cross_entropy_sum_weights(run->context, l->options, labels, &l->weights);
    if (status != THAW_OK)
        return status;
    pass p = {
        .layer = l,
        .logits = run->inputs[0],
        .labels = run->target,
        .kept = l->training ? run->workspace : NULL,
        .losses = run->scratch,
    };
    const size_t tokens = l->batch * l->tokens;
    thaw_parallel_for(run->context, tokens, grain_of(l), forward_tokens, &p);
    l->total = 0;
    for (size_t n = 0; n < tokens; n++)
        l->total += p.losses[n];
    const double scale = thaw_cross_entropy_scale(l->options, l->weights);
    if (p.kept)
        p.kept->scale = scale;
    float *output = run->output;
    *output = (float)(l->total * scale);
    return THAW_OK;
}

static void differentiate_token(const pass *p, size_t token)
{
    const loss *l = p->layer;
    const float *logits = p->logits + token * l->classes;
    float *gradient = p->gradient + token * l->classes;
    const size_t label = (size_t)p->labels[token];
    const kept_token *kept = &p->kept->tokens[token];
    const double scale = p->kept->scale, smoothing = l->options->label_smoothing;
    const double weight = thaw_cross_entropy_weight(l->options, label);
    const double hard = (1 - smoothing) * weight, soft = smoothing / (double)l->classes;
    const double factor = scale * (hard + soft * l->weight_sum) / kept->sum;
    l->loops->differentiate(logits, l->options->class_weights, l->classes, kept->largest, (float)factor,
                            (float)(scale * soft), gradient);
    const double exponential = exp((double)logits[label] - (double)kept->largest);
    gradient[label] = (float)(factor * exponential - scale * (hard + soft * weight));
}

static void backward_tokens(void *argument, size_t begin, size_t end)
{
    const pass *p = argument;
    const size_t classes = p->layer->classes;
    for (size_t n = begin; n < end; n++)
        if (thaw_cross_entropy_ignores(p->layer->options, p->labels[n]))
            memset(p->gradient + n * classes, 0, classes * sizeof *p->gradient);
        else
            differentiate_token(p, n);
}

static thaw_status backward(const thaw_layer_run *run)
{
    const loss *l = run->state;
    pass p = {
        .layer = l,
        .logits = run->inputs[0],
        .labels = run->target,
        .kept = run->workspace,
        .gradient = run->input_gradients[0],
    };
    if (p.gradient)
        thaw_parallel_for(run->context, l->batch * l->tokens, grain_of(l), backward_tokens, &p);
    return THAW_OK;
}

static void weigh(const thaw_layer_run *run, double *total, double *weight)
{
    const loss *l = run->state;
    thaw_cross_entropy_weigh(run, l->options, l->total, l->weights, total, weight);
}

static const thaw_layer_module module = {
    THAW_LAYER_MODULE_HEAD,
    .name = "token_cross_entropy",
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
};

thaw_status thaw_token_cross_entropy(thaw_model *model, thaw_node logits,
                                     const thaw_token_cross_entropy_options *options, thaw_node *output)
{
    const thaw_token_cross_entropy_options o = options ? *options : (thaw_token_cross_entropy_options){ 0 };
    const thaw_softmax_cross_entropy_options settings = {
        .reduction = o.reduction,
        .label_smoothing = o.label_smoothing,
        .use_ignore_label = true,
        .ignore_label = o.use_ignore_label ? o.ignore_label : THAW_IGNORED_TOKEN,
        .class_weights = o.class_weights,
    };
    return thaw_model_append(model, &module, o.name, &logits, 1, &settings, output);
}
