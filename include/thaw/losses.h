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
