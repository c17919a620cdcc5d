/* Shared by the cross-entropies of logits against labels, of one label or one for each token of a sample: options, and
   which labels count. Their options are thaw_softmax_cross_entropy_options. */
#ifndef THAW_LAYERS_CROSS_ENTROPY_H
#define THAW_LAYERS_CROSS_ENTROPY_H

#include <thaw/layer_module.h>
#include <thaw/losses.h>

/* For adopt_options: checks them, and copies the class weights. */
thaw_status thaw_cross_entropy_adopt_options(thaw_layer_builder *builder, void *options);
void thaw_cross_entropy_release_options(thaw_context *context, void *options);

/* For `build`, with logits [labels..., classes]. */
thaw_status thaw_cross_entropy_build(thaw_layer_builder *builder, const void *options);

/* The weight of a class. */
static inline double thaw_cross_entropy_weight(const thaw_softmax_cross_entropy_options *options, size_t class)
{
    return options->class_weights ? (double)options->class_weights[class] : 1;
}

static inline bool thaw_cross_entropy_ignores(const thaw_softmax_cross_entropy_options *options, int32_t label)
{
    return options->use_ignore_label && label == options->ignore_label;
}

/* A batch's labels, those of a sample one after the other. */
typedef struct thaw_label_batch {
    const int32_t *labels;
    size_t samples, places; /* labels of a sample */
    size_t classes;
} thaw_label_batch;

/* The weights of labels that count, added up, and their number. */
typedef struct thaw_label_weights {
    double sum;
    size_t counted;
} thaw_label_weights;

/* Errors: THAW_INVALID_ARGUMENT (a label outside the classes that is not ignored). */
thaw_status thaw_cross_entropy_sum_weights(thaw_context *context, const thaw_softmax_cross_entropy_options *options,
                                           thaw_label_batch batch, thaw_label_weights *weights);

/* By what the sum of losses is multiplied. */
double thaw_cross_entropy_scale(const thaw_softmax_cross_entropy_options *options, thaw_label_weights weights);

/* For `weigh`, of a batch whose losses have this sum. */
void thaw_cross_entropy_weigh(const thaw_layer_run *run, const thaw_softmax_cross_entropy_options *options, double sum,
                              thaw_label_weights weights, double *total, double *weight);

#endif
