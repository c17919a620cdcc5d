/* The built-in layers of transformers, beside those of thaw/layers.h, whose rules hold for them. A sequence of tokens is
   [T, width].

   `parameter` of their options is the full name of the parameter, such as "cls_token" or "blocks.0.ls1.gamma", for
   weight files that name it unlike its layer; NULL: "<layer>.weight". Like a layer's name it must be unique. */
#ifndef THAW_TRANSFORMER_LAYERS_H
#define THAW_TRANSFORMER_LAYERS_H

#include <thaw/model.h>

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
    const char *name;             /* NULL: the kind and a number */
    const char *parameter;        /* its full name; NULL: "<layer>.weight" */
    int64_t rows;                 /* of the table, at least the length of the sequence; 0: that length */
    bool leading;                 /* the parameter is [1, rows, width], as timm's pos_embed */
    thaw_initializer initializer; /* default: THAW_INITIAL_TRANSFORMER */
} thaw_positions_options;

/* Adds a learned vector to each token of [T, width], by its position. The first T rows of the table count; the others
   have no gradient but 0. Parameter: weight [rows, width]. Errors: THAW_INVALID_ARGUMENT (rows). */
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

#ifdef __cplusplus
}
#endif

#endif
