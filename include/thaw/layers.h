/* The built-in layers; those of sequences are in thaw/sequence_layers.h, thaw/attention.h and
   thaw/transformer_layers.h, losses in thaw/losses.h. Each call appends a node to the model and writes its index to
   `*output`, which may be the variable that was passed as input. Options may be NULL if every default is usable; zero
   means the default. A layer with parameters registers them in a group of its name. Names are paths ("layer1.0.conv1"),
   unique in the model; NULL makes one from the kind and a number. A name is UTF-8 and must not contain * ? [ ] { } | or
   a comma, which have a meaning in patterns.

   Shapes are those of one sample: [features], a sequence [T, features] or an image [height, width, channels].
   Errors of all: THAW_SHAPE_MISMATCH (an input of the wrong rank or size), THAW_INVALID_ARGUMENT (options, name),
   THAW_DUPLICATE (name). */
#ifndef THAW_LAYERS_H
#define THAW_LAYERS_H

#include <thaw/attention.h>
#include <thaw/losses.h>
#include <thaw/model.h>
#include <thaw/sequence_layers.h>
#include <thaw/transformer_layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of thaw_dense. */
typedef struct thaw_dense_options {
    const char *name;                               /* NULL: the kind and a number */
    int64_t units;                                  /* outputs; required */
    bool no_bias;                                   /* leave out the bias */
    bool transposed;                                /* files have the weight as [features, units], as GPT-2's */
    thaw_initializer initializer, bias_initializer; /* of weight and bias */
} thaw_dense_options;

/* y = x W^T + b for each row of x: [..., features] to [..., units], as PyTorch's Linear. A sequence is [T, features].
   Use thaw_flatten first to turn an image into one row. Parameters: weight [units, features], bias [units].
   Errors: THAW_SHAPE_MISMATCH (an input of rank 0), THAW_INVALID_ARGUMENT (units). */
THAW_API thaw_status thaw_dense(thaw_model *model, thaw_node input, const thaw_dense_options *options,
                                thaw_node *output);

/* Options of thaw_conv2d. */
typedef struct thaw_conv2d_options {
    const char *name;    /* NULL: the kind and a number */
    int64_t filters;     /* output channels; required */
    int64_t kernel[2];   /* height, width; required */
    int64_t stride[2];   /* 0: 1 */
    int64_t padding[2];  /* zeros on both sides of height and width */
    bool same;           /* PyTorch's padding="same": output size = input size, odd excess right and below; stride 1 */
    int64_t dilation[2]; /* 0: 1 */
    int64_t groups;      /* 0: 1; divides both channel counts */
    bool no_bias;        /* leave out the bias */
    thaw_initializer initializer, bias_initializer; /* of weight and bias */
} thaw_conv2d_options;

/* 2-D cross-correlation of x [H, W, C]. Parameters: weight [filters, C / groups, kh, kw] (OIHW), bias [filters]. */
THAW_API thaw_status thaw_conv2d(thaw_model *model, thaw_node input, const thaw_conv2d_options *options,
                                 thaw_node *output);

/* Options of thaw_conv1d. */
typedef struct thaw_conv1d_options {
    const char *name; /* NULL: the kind and a number */
    int64_t filters;  /* output channels; required */
    int64_t kernel;   /* required */
    int64_t stride;   /* 0: 1 */
    int64_t padding;  /* zeros on both sides */
    bool same;        /* PyTorch's padding="same": output length = input length, odd excess at the end; stride 1 */
    int64_t dilation; /* 0: 1 */
    int64_t groups;   /* 0: 1; divides both channel counts */
    bool no_bias;     /* leave out the bias */
    thaw_initializer initializer, bias_initializer; /* of weight and bias */
} thaw_conv1d_options;

/* 1-D cross-correlation of a sequence x [L, C]. Parameters: weight [filters, C / groups, kernel], bias [filters]. */
THAW_API thaw_status thaw_conv1d(thaw_model *model, thaw_node input, const thaw_conv1d_options *options,
                                 thaw_node *output);

/* Options of thaw_conv_transpose2d. */
typedef struct thaw_conv_transpose2d_options {
    const char *name;          /* NULL: the kind and a number */
    int64_t filters;           /* output channels; required */
    int64_t kernel[2];         /* height, width; required */
    int64_t stride[2];         /* 0: 1 */
    int64_t padding[2];        /* cropped from both sides of the output's height and width */
    int64_t output_padding[2]; /* added below and right; must be less than the stride or the dilation */
    int64_t dilation[2];       /* 0: 1 */
    int64_t groups;            /* 0: 1; divides both channel counts */
    bool no_bias;              /* leave out the bias */
    thaw_initializer initializer, bias_initializer; /* of weight and bias */
} thaw_conv_transpose2d_options;

/* Transposed 2-D convolution of x [H, W, C], PyTorch's ConvTranspose2d: the backward pass of a convolution with the
   same options. Output height (and width): (H - 1) stride - 2 padding + dilation (kernel - 1) + output padding + 1.
   Parameters: weight [C, filters / groups, kh, kw], bias [filters]. */
THAW_API thaw_status thaw_conv_transpose2d(thaw_model *model, thaw_node input,
                                           const thaw_conv_transpose2d_options *options, thaw_node *output);

/* Options of thaw_max_pool2d and thaw_average_pool2d. */
typedef struct thaw_pool2d_options {
    const char *name;     /* NULL: the kind and a number */
    int64_t kernel[2];    /* required */
    int64_t stride[2];    /* 0: the kernel's size */
    int64_t padding[2];   /* at most half of the kernel */
    int64_t dilation[2];  /* 0: 1; max-pool only */
    bool ceil_mode;       /* round the output's size up; a window starts inside the input or its left padding */
    bool exclude_padding; /* average-pool: divide by the elements inside the input (count_include_pad = false) */
} thaw_pool2d_options;

/* Max-pooling of x [H, W, C]. Padding counts as -inf. A dilated window may lie entirely in padding: its value is
   -inf, and its gradient is dropped. */
THAW_API thaw_status thaw_max_pool2d(thaw_model *model, thaw_node input, const thaw_pool2d_options *options,
                                     thaw_node *output);
/* Average-pooling of x [H, W, C]. */
THAW_API thaw_status thaw_average_pool2d(thaw_model *model, thaw_node input, const thaw_pool2d_options *options,
                                         thaw_node *output);

/* Mean over height and width: [H, W, C] to [C]. */
THAW_API thaw_status thaw_global_average_pool2d(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                                thaw_node *output);

/* Element-wise activations of any shape. GELU is exact (erf), PyTorch's default; gelu_tanh is its approximation, which
   GPT-2 computes with. */
THAW_API thaw_status thaw_relu(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                               thaw_node *output);
THAW_API thaw_status thaw_relu6(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                thaw_node *output);
THAW_API thaw_status thaw_sigmoid(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                  thaw_node *output);
THAW_API thaw_status thaw_tanh(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                               thaw_node *output);
THAW_API thaw_status thaw_gelu(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                               thaw_node *output);
THAW_API thaw_status thaw_gelu_tanh(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                    thaw_node *output);
THAW_API thaw_status thaw_silu(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                               thaw_node *output);

/* Softmax over the last axis, exp(x) / sum(exp(x)), and its logarithm; the input must have at least one dimension.
   To train a classifier, use thaw_softmax_cross_entropy on the logits instead. */
THAW_API thaw_status thaw_softmax(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                  thaw_node *output);
THAW_API thaw_status thaw_log_softmax(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                      thaw_node *output);

/* Options of thaw_leaky_relu. */
typedef struct thaw_leaky_relu_options {
    const char *name;      /* NULL: the kind and a number */
    double negative_slope; /* 0: 0.01 */
} thaw_leaky_relu_options;

/* x if x > 0, otherwise negative_slope * x, for each element: PyTorch's LeakyReLU. */
THAW_API thaw_status thaw_leaky_relu(thaw_model *model, thaw_node input, const thaw_leaky_relu_options *options,
                                     thaw_node *output);

/* [H, W, C] to [C * H * W] in PyTorch's order (channel, row, column), so that dense weights of an NCHW network fit. */
THAW_API thaw_status thaw_flatten(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                  thaw_node *output);

/* How new pixels are computed. */
typedef enum thaw_upsampling { THAW_UPSAMPLE_NEAREST = 0, THAW_UPSAMPLE_BILINEAR } thaw_upsampling;

/* Options of thaw_upsample2d. */
typedef struct thaw_upsample2d_options {
    const char *name;     /* NULL: the kind and a number */
    int64_t scale[2];     /* height, width: whole factors; set this or `size` */
    int64_t size[2];      /* the output's height and width, which may also be smaller */
    thaw_upsampling mode; /* nearest or bilinear */
    bool align_corners;   /* bilinear: aligns the centres of the corner pixels instead of the images' borders */
} thaw_upsample2d_options;

/* Resizes x [H, W, C] like PyTorch's interpolate without antialiasing. */
THAW_API thaw_status thaw_upsample2d(thaw_model *model, thaw_node input, const thaw_upsample2d_options *options,
                                     thaw_node *output);

/* Options of thaw_batch_norm. */
typedef struct thaw_batch_norm_options {
    const char *name;       /* NULL: the kind and a number */
    double epsilon;         /* 0: 1e-5 */
    bool use_epsilon;       /* use `epsilon` even if it is 0 */
    double momentum;        /* the weight of a batch in the running statistics; 0: 0.1 */
    bool use_momentum;      /* use `momentum` even if it is 0, which keeps the running statistics unchanged */
    bool no_affine;         /* no weight and no bias */
    bool track_when_frozen; /* PyTorch's rule in train(): even a frozen layer computes with the batch's statistics
                               and updates its own; it is then never in a frozen prefix */
    thaw_initializer initializer, bias_initializer; /* default: 1, and 0 */
} thaw_batch_norm_options;

/* y = (x - mean) / sqrt(variance + epsilon) * weight + bias for each channel, the last dimension of x (Ioffe & Szegedy
   2015, arXiv 1502.03167). In training, mean and (biased) variance are those of the batch over all other dimensions. In
   a step of several shards they are those of each shard, or of all with thaw_model_set_sync_batch_norm. The running
   statistics move towards them by `momentum`, with the unbiased variance. Otherwise mean and variance are the running
   ones. A layer without trainable parameters is frozen (Keras' rule): it computes with the running statistics and does
   not change them. Without weight and bias, its group's flag says whether it is frozen. Parameters: weight, bias,
   running_mean, running_var [channels]; the last two are statistics. There is no num_batches_tracked as in PyTorch;
   loading ignores it. With an epsilon of 0, a channel without variance gives NaN, as in PyTorch. A vector has no fans,
   so the initializers of this layer and of the next two must be THAW_INITIAL_ZERO, _ONE or _SMALL_NORMAL. Errors:
   THAW_SHAPE_MISMATCH, THAW_INVALID_ARGUMENT (epsilon, momentum, an initializer); when a step is compiled,
   THAW_INVALID_ARGUMENT (a single value per channel, which has no variance). */
THAW_API thaw_status thaw_batch_norm(thaw_model *model, thaw_node input, const thaw_batch_norm_options *options,
                                     thaw_node *output);

/* Options of thaw_layer_norm. */
typedef struct thaw_layer_norm_options {
    const char *name;                               /* NULL: the kind and a number */
    int dimensions;                                 /* how many of the last dimensions are normalised together; 0: 1 */
    double epsilon;                                 /* 0: 1e-5 */
    bool use_epsilon;                               /* use `epsilon` even if it is 0 */
    bool no_affine;                                 /* no weight and no bias */
    bool no_bias;                                   /* a weight, but no bias */
    thaw_initializer initializer, bias_initializer; /* default: 1, and 0 */
} thaw_layer_norm_options;

/* y = (x - mean) / sqrt(variance + epsilon) * weight + bias, with mean and biased variance of each sample over its
   last dimensions: each row of a sequence [T, C], or with `dimensions` 2 the whole sequence (Ba et al. 2016, arXiv
   1607.06450). Parameters: weight and bias with the shape of those dimensions. For an image that is [H, W, C], where
   PyTorch has [C, H, W]. Errors: THAW_SHAPE_MISMATCH (fewer dimensions), THAW_INVALID_ARGUMENT (dimensions, epsilon,
   an initializer). */
THAW_API thaw_status thaw_layer_norm(thaw_model *model, thaw_node input, const thaw_layer_norm_options *options,
                                     thaw_node *output);

/* Options of thaw_group_norm. */
typedef struct thaw_group_norm_options {
    const char *name; /* NULL: the kind and a number */
    int64_t groups;   /* number of groups of channels, the last dimension; must divide it; required */
    double epsilon;   /* 0: 1e-5 */
    bool use_epsilon; /* use `epsilon` even if it is 0 */
    bool no_affine;   /* no weight and no bias */
    thaw_initializer initializer, bias_initializer; /* default: 1, and 0 */
} thaw_group_norm_options;

/* As thaw_layer_norm, with mean and variance of each sample over all positions of a group of channels (Wu & He 2018,
   arXiv 1803.08494). Parameters: weight, bias [channels]. Errors: THAW_SHAPE_MISMATCH (an input of rank 0),
   THAW_INVALID_ARGUMENT (groups, epsilon, an initializer). */
THAW_API thaw_status thaw_group_norm(thaw_model *model, thaw_node input, const thaw_group_norm_options *options,
                                     thaw_node *output);

/* Options of thaw_dropout. */
typedef struct thaw_dropout_options {
    const char *name; /* NULL: the kind and a number */
    double rate;      /* share of zeroed elements; 0 <= rate < 1. The others are scaled by 1 / (1 - rate) */
    /* Also drop if nothing at or below the layer trains, as PyTorch's train() does. The layer and everything above
       it are then never in a frozen prefix: the feature cache ends below it. */
    bool drop_when_frozen;
} thaw_dropout_options;

/* Dropout in training; the identity in evaluation and inside a frozen prefix. A dropout of the input, or between a
   frozen body and its head, is in that prefix. Without drop_when_frozen it never drops, and the context's log warns
   of it once when training starts. */
THAW_API thaw_status thaw_dropout(thaw_model *model, thaw_node input, const thaw_dropout_options *options,
                                  thaw_node *output);

/* Element-wise left + right, left - right and left * right: a residual connection, a gate, a scale. The shapes of a
   sample broadcast as in NumPy: they are aligned at their last dimensions, and a dimension that is 1 or missing is
   repeated. For example, [C] is added at every position of [H, W, C], and [H, W, 1] weights its positions. The
   gradient of a repeated element is the sum over its repetitions. Either side may be frozen, a constant, or the same
   node. Errors: THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_add(thaw_model *model, thaw_node left, thaw_node right, const thaw_simple_options *options,
                              thaw_node *output);
THAW_API thaw_status thaw_subtract(thaw_model *model, thaw_node left, thaw_node right,
                                   const thaw_simple_options *options, thaw_node *output);
THAW_API thaw_status thaw_multiply(thaw_model *model, thaw_node left, thaw_node right,
                                   const thaw_simple_options *options, thaw_node *output);

/* Options of thaw_concatenate. */
typedef struct thaw_concatenate_options {
    const char *name; /* NULL: the kind and a number */
    int axis;         /* of a sample, from 0; negative axes count from the end: -1 is the last, the channels */
} thaw_concatenate_options;

/* Concatenates 2 to THAW_MAX_INPUTS nodes along an axis; their other dimensions must be equal. A node may occur more
   than once. Errors: THAW_SHAPE_MISMATCH, THAW_INVALID_ARGUMENT (the axis, the number of inputs). */
THAW_API thaw_status thaw_concatenate(thaw_model *model, const thaw_node *inputs, size_t count,
                                      const thaw_concatenate_options *options, thaw_node *output);

/* Options of thaw_constant. */
typedef struct thaw_constant_options {
    const char *name;    /* NULL: the kind and a number */
    thaw_shape shape;    /* of a sample; required. Rank 0 is a number */
    const float *values; /* required; finite; copied */
} thaw_constant_options;

/* A tensor that never trains and is the same for every sample: a node without inputs, to be combined with others. The
   feature cache never keeps values that are computed from constants only. A plan holds one copy per sample of its
   batch.
   Errors: THAW_INVALID_ARGUMENT (no values, or values that are not finite; the shape; the model has no input yet). */
THAW_API thaw_status thaw_constant(thaw_model *model, const thaw_constant_options *options, thaw_node *output);

#ifdef __cplusplus
}
#endif

#endif
