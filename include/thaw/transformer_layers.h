/* The built-in layers of transformers, beside those of thaw/layers.h, whose rules hold for them. A sequence of tokens is
   [T, width].

   `parameter` of their options is the full name of the parameter, such as "cls_token" or "blocks.0.ls1.gamma", for
   weight files that name it unlike its layer; NULL: "<layer>.weight". Like a layer's name it must be unique. */
#ifndef THAW_TRANSFORMER_LAYERS_H
#define THAW_TRANSFORMER_LAYERS_H

#include <thaw/sequence_layers.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Options of thaw_reshape. */
typedef struct thaw_reshape_options {
    const char *name; /* NULL: the kind and a number */
    thaw_shape shape; /* of a sample; required. One dimension may be -1: what the others leave */
} thaw_reshape_options;

/* The same elements in the same order, with other dimensions: an image [H, W, C] as a sequence [H * W, C]. Nothing is
   copied. Errors: THAW_SHAPE_MISMATCH (another number of elements), THAW_INVALID_ARGUMENT (the shape). */
THAW_API thaw_status thaw_reshape(thaw_model *model, thaw_node input, const thaw_reshape_options *options,
                                  thaw_node *output);

/* Options of thaw_slice. */
typedef struct thaw_slice_options {
    const char *name; /* NULL: the kind and a number */
    int axis;         /* of a sample, from 0; negative axes count from the end: -1 is the last, the channels */
    int64_t begin;    /* the first index that is taken; negative ones count from the end */
    int64_t count;    /* how many; 0: all from `begin` on */
    bool squeeze;     /* leave out the axis, of which one index is taken: the first token of [T, width] is [width] */
} thaw_slice_options;

/* A part of the input along one axis. The gradient of the rest is 0. Errors: THAW_INVALID_ARGUMENT (the axis; a part
   that is not within the input; squeeze and more than one index). */
THAW_API thaw_status thaw_slice(thaw_model *model, thaw_node input, const thaw_slice_options *options,
                                thaw_node *output);

/* Options of thaw_prepend_tokens. */
typedef struct thaw_prepend_tokens_options {
    const char *name;             /* NULL: the kind and a number */
    const char *parameter;        /* its full name; NULL: "<layer>.weight" */
    int64_t tokens;               /* how many; 0: 1 */
    bool leading;                 /* the parameter is [1, tokens, width], as timm's cls_token and reg_token */
    thaw_initializer initializer; /* default: THAW_INITIAL_TRANSFORMER */
} thaw_prepend_tokens_options;

/* Learned tokens before a sequence: [T, width] to [tokens + T, width], the class token of Dosovitskiy et al. 2020,
   arXiv 2010.11929, or the registers of Darcet et al. 2023, arXiv 2309.16588. Parameter: weight [tokens, width].
   Errors: THAW_INVALID_ARGUMENT (tokens). */
THAW_API thaw_status thaw_prepend_tokens(thaw_model *model, thaw_node input, const thaw_prepend_tokens_options *options,
                                         thaw_node *output);

/* Options of thaw_positions. */
typedef struct thaw_positions_options {
    const char *name;        /* NULL: the kind and a number */
    const char *parameter;   /* its full name; NULL: "<layer>.weight" */
    int64_t rows;            /* of the table, at least the length of the sequence; 0: that length */
    bool leading;            /* the parameter is [1, rows, width], as timm's pos_embed */
    thaw_position_grid grid; /* what the rows stand for, if they are positions of an image; must add up to `rows` */
    thaw_initializer initializer; /* default: THAW_INITIAL_TRANSFORMER */
} thaw_positions_options;

/* Adds a learned vector to each token of [T, width], by its position. The first T rows of the table count; the others
   have no gradient but 0. Parameter: weight [rows, width]. Errors: THAW_INVALID_ARGUMENT (rows, grid). */
THAW_API thaw_status thaw_positions(thaw_model *model, thaw_node input, const thaw_positions_options *options,
                                    thaw_node *output);

/* Options of thaw_layer_scale. */
typedef struct thaw_layer_scale_options {
    const char *name;      /* NULL: the kind and a number */
    const char *parameter; /* its full name; NULL: "<layer>.gamma" */
    double initial;        /* of all elements, as in timm's init_values; 0: 1e-5 */
} thaw_layer_scale_options;

/* Multiplies each channel, the last dimension, by a learned number: LayerScale of Touvron et al. 2021, arXiv 2103.17239.
   Parameter: gamma [channels]. If it is frozen, the layer before it does the work. Errors: THAW_SHAPE_MISMATCH (an
   input of rank 0), THAW_INVALID_ARGUMENT (initial). */
THAW_API thaw_status thaw_layer_scale(thaw_model *model, thaw_node input, const thaw_layer_scale_options *options,
                                      thaw_node *output);

/* Options of thaw_stochastic_depth. */
typedef struct thaw_stochastic_depth_options {
    const char *name;      /* NULL: the kind and a number */
    double rate;           /* the share of samples that are dropped; 0 <= rate < 1 */
    bool drop_when_frozen; /* as in thaw_dropout_options */
} thaw_stochastic_depth_options;

/* Zeroes whole samples at random in training and scales the others by 1 / (1 - rate), in a residual branch: stochastic
   depth of Huang et al. 2016, arXiv 1603.09382, as timm's DropPath. The identity in evaluation and inside a frozen
   prefix, as thaw_dropout. Errors: THAW_INVALID_ARGUMENT (rate). */
THAW_API thaw_status thaw_stochastic_depth(thaw_model *model, thaw_node input,
                                           const thaw_stochastic_depth_options *options, thaw_node *output);

/* Options of thaw_rms_norm. */
typedef struct thaw_rms_norm_options {
    const char *name;             /* NULL: the kind and a number */
    double epsilon;               /* 0: that of floats, 2^-23, as in PyTorch */
    bool use_epsilon;             /* use `epsilon` even if it is 0 */
    bool no_weight;               /* leave out the weight */
    thaw_initializer initializer; /* default: 1 */
} thaw_rms_norm_options;

/* y = x / sqrt(mean(x^2) + epsilon) * weight for each row, the last dimension, as PyTorch's RMSNorm: Zhang & Sennrich
   2019, arXiv 1910.07467. Parameter: weight [channels]. Errors: THAW_SHAPE_MISMATCH (an input of rank 0),
   THAW_INVALID_ARGUMENT (epsilon, the initializer). */
THAW_API thaw_status thaw_rms_norm(thaw_model *model, thaw_node input, const thaw_rms_norm_options *options,
                                   thaw_node *output);

/* x / max(|x|, 1e-12) for each row, the last dimension, as PyTorch's F.normalize: embeddings whose dot products are
   cosines. Errors: THAW_SHAPE_MISMATCH (an input of rank 0). */
THAW_API thaw_status thaw_l2_normalise(thaw_model *model, thaw_node input, const thaw_simple_options *options,
                                       thaw_node *output);

/* Options of thaw_rotary. */
typedef struct thaw_rotary_options {
    const char *name; /* NULL: the kind and a number */
    int64_t heads;    /* the heads that are rotated, which come first; required. What is behind them stays as it is: for
                          packed queries, keys and values of 6 heads 12 heads are rotated */
    int64_t head_size; /* features of a head; required */
    int64_t rotated;   /* how many of them, from the first on; even; 0: all */
    bool interleaved;  /* features 2 i and 2 i + 1 are a pair (GPT-J, RoFormer), not i and i + rotated / 2 (LLaMA) */
    double base;       /* 0: 10000 */
} thaw_rotary_options;

/* Rotary positions, for queries and keys [T, features]: pair i of step t turns by t * base^(-2 i / rotated). Su et al.
   2021, arXiv 2104.09864. Errors: THAW_INVALID_ARGUMENT (heads, sizes, base). */
THAW_API thaw_status thaw_rotary(thaw_model *model, thaw_node input, const thaw_rotary_options *options,
                                 thaw_node *output);

/* Options of thaw_sequence_mean. */
typedef struct thaw_sequence_mean_options {
    const char *name;         /* NULL: the kind and a number */
    const thaw_node *lengths; /* a node of one number for each sample: its steps, from 0 to T; NULL: all */
} thaw_sequence_mean_options;

/* The mean over the steps of a sequence: [T, width] to [width]. With lengths, over the first ones of each sample;
   a sample without steps has zeros. Errors: THAW_SHAPE_MISMATCH; THAW_INVALID_ARGUMENT (when a batch is computed: a
   length that is not a whole number from 0 to T). */
THAW_API thaw_status thaw_sequence_mean(thaw_model *model, thaw_node input, const thaw_sequence_mean_options *options,
                                        thaw_node *output);

#ifdef __cplusplus
}
#endif

#endif
