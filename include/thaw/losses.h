/* The built-in losses. One is the last layer of a model; what thaw/layers.h says of layers holds for them. */
#ifndef THAW_LOSSES_H
#define THAW_LOSSES_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a loss combines the samples' losses. */
typedef enum thaw_reduction { THAW_REDUCE_MEAN = 0, THAW_REDUCE_SUM } thaw_reduction;

/* Options of thaw_softmax_cross_entropy. */
typedef struct thaw_softmax_cross_entropy_options {
    const char *name;           /* NULL: the kind and a number */
    thaw_reduction reduction;   /* over samples */
    double label_smoothing;     /* 0 to 1; Szegedy et al. 2016, arXiv 1512.00567 */
    bool use_ignore_label;      /* samples with `ignore_label` add nothing to loss and gradient; it may be outside
                                   [0, classes), even in data sets */
    int32_t ignore_label;       /* used with use_ignore_label */
    const float *class_weights; /* one per class, copied; NULL: all 1 */
} thaw_softmax_cross_entropy_options;

/* Loss of logits [classes] against labels THAW_I32 in [0, classes), as PyTorch's cross_entropy: the mean divides by
   the sum of the weights of the samples that count. If no sample counts, because all labels are ignored or belong to
   classes of weight 0, loss and gradient are 0, where PyTorch gives NaN: a last batch with only ignored labels must
   not end a run. Finite for logits up to +-1e30. Must come last. */
THAW_API thaw_status thaw_softmax_cross_entropy(thaw_model *model, thaw_node logits,
                                                const thaw_softmax_cross_entropy_options *options, thaw_node *output);

/* The label of tokens that do not count, unless a loss is told another: PyTorch's. */
enum { THAW_IGNORED_TOKEN = -100 };

/* Options of thaw_token_cross_entropy. */
typedef struct thaw_token_cross_entropy_options {
    const char *name;           /* NULL: the kind and a number */
    thaw_reduction reduction;   /* over tokens */
    double label_smoothing;     /* 0 to 1, as in thaw_softmax_cross_entropy_options */
    bool use_ignore_label;      /* ignore `ignore_label` instead of THAW_IGNORED_TOKEN */
    int32_t ignore_label;       /* used with use_ignore_label */
    const float *class_weights; /* one per class, copied; NULL: all 1 */
} thaw_token_cross_entropy_options;

/* Loss of logits [tokens, classes] against a label for each token: targets THAW_I32 [tokens], each in [0, classes) or
   the ignored one, which adds nothing to loss and gradient. The mean is over all tokens of the whole batch that count,
   as PyTorch's cross_entropy of logits [batch * tokens, classes], and not a mean of the samples' means. A step of
   several shards has the whole step's mean. If no token counts, loss and gradient are 0, as in
   thaw_softmax_cross_entropy.

   Where the tokens are those of a sequence (thaw_input_options.sequence), a batch of shorter samples runs at a shorter
   length, to which targets are cut as the inputs are. All labels behind it must be the ignored one, which those behind
   the end of a sample should be: any other is an error, since it would count or not depending on the batch.

   Accuracies of steps and of thaw_evaluate are of tokens, and thaw_evaluation.perplexity is that of tokens. Nothing of
   the logits' size is kept beside their gradient. The same bits for any number of threads. Must come last. Errors:
   THAW_SHAPE_MISMATCH (the logits), THAW_INVALID_ARGUMENT (options). */
THAW_API thaw_status thaw_token_cross_entropy(thaw_model *model, thaw_node logits,
                                              const thaw_token_cross_entropy_options *options, thaw_node *output);

/* Options of thaw_binary_cross_entropy. */
typedef struct thaw_binary_cross_entropy_options {
    const char *name;         /* NULL: the kind and a number */
    thaw_reduction reduction; /* over samples */
    /* PyTorch's pos_weight: one per element of the last dimension, copied; NULL: all 1 */
    const float *positive_weights;
} thaw_binary_cross_entropy_options;

/* Mean (over batch and elements) or sum of binary cross-entropies of logits against targets THAW_F32 from 0 to 1, of
   the same shape, as PyTorch's binary_cross_entropy_with_logits. Finite for logits up to +-1e30. Must come last. */
THAW_API thaw_status thaw_binary_cross_entropy(thaw_model *model, thaw_node logits,
                                               const thaw_binary_cross_entropy_options *options, thaw_node *output);

/* Options of thaw_contrastive_loss. */
typedef struct thaw_contrastive_loss_options {
    const char *name; /* NULL: the kind and a number */
    double scale;     /* of the products, 1 / temperature; 0: 20 */
} thaw_contrastive_loss_options;

/* In-batch contrastive loss of anchors [width] and positives [width]: InfoNCE (van den Oord et al. 2018, arXiv
   1807.03748) with the batch's other positives as negatives, as in MultipleNegativesRankingLoss of
   sentence-transformers. The product of an anchor and a positive, times the scale, is their score; the loss is the mean
   over anchors of the cross-entropy of their scores against their own positive. For cosines, divide both by their
   lengths before (thaw_l2_normalise). It has no targets: thaw_step takes NULL for them, and those of a data set are not
   read.

   A sample's loss depends on the other samples of its batch, and so does that of an evaluation: larger batches are
   harder, a batch of one has loss 0, and two samples of a batch with the same positive count against each other. Each
   shard of a step, on whichever rank, is a batch of its own, as in sentence-transformers with gradient accumulation;
   their losses are averaged over samples. Features of frozen layers may come from the cache as ever: what mixes samples
   is the loss. thaw_predict returns the anchors. Must come last. Errors: THAW_SHAPE_MISMATCH (the inputs),
   THAW_INVALID_ARGUMENT (scale). */
THAW_API thaw_status thaw_contrastive_loss(thaw_model *model, thaw_node anchors, thaw_node positives,
                                           const thaw_contrastive_loss_options *options, thaw_node *output);

/* Options of thaw_mse. */
typedef struct thaw_mse_options {
    const char *name;         /* NULL: the kind and a number */
    thaw_reduction reduction; /* over samples */
    /* By which the targets were divided (thaw_dataset_target_scale). The value of the loss is then in the targets' own
       units, multiplied by the square of it; gradients are those of the targets as they are served. 0: 1 */
    double target_deviation;
} thaw_mse_options;

/* Mean (over batch and features) or sum of squared differences to targets THAW_F32 of the prediction's shape. Must
   come last. Errors: THAW_INVALID_ARGUMENT (target_deviation). */
THAW_API thaw_status thaw_mse(thaw_model *model, thaw_node prediction, const thaw_mse_options *options,
                              thaw_node *output);

/* Options of thaw_mae. */
typedef struct thaw_mae_options {
    const char *name;         /* NULL: the kind and a number */
    thaw_reduction reduction; /* over samples */
    double target_deviation;  /* as in thaw_mse_options; the value of the loss is multiplied by it */
} thaw_mae_options;

/* Mean (over batch and features) or sum of absolute differences to targets THAW_F32 of the prediction's shape, as
   PyTorch's L1Loss. Where there is no difference, the gradient is 0. Must come last. Errors: THAW_INVALID_ARGUMENT
   (target_deviation). */
THAW_API thaw_status thaw_mae(thaw_model *model, thaw_node prediction, const thaw_mae_options *options,
                              thaw_node *output);

/* Options of thaw_huber. */
typedef struct thaw_huber_options {
    const char *name;         /* NULL: the kind and a number */
    thaw_reduction reduction; /* over samples */
    double delta;             /* differences from this on count as they are, smaller ones squared; 0: 1 */
    double target_deviation;  /* as in thaw_mse_options; `delta` is of the targets as they are served */
} thaw_huber_options;

/* Mean (over batch and features) or sum of Huber's loss of the differences d to targets THAW_F32 of the prediction's
   shape, as PyTorch's HuberLoss: d^2 / 2 if |d| < delta, else delta (|d| - delta / 2). Must come last. Errors:
   THAW_INVALID_ARGUMENT (delta, target_deviation). */
THAW_API thaw_status thaw_huber(thaw_model *model, thaw_node prediction, const thaw_huber_options *options,
                                thaw_node *output);

#ifdef __cplusplus
}
#endif

#endif
