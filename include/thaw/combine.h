/* Combinations of parameters: what a layer computes with may be an expression over several parameters, of which some
   train and others do not.

   A layer's parameter, say "dense1.weight", is two things: a place in the layer, and a tensor that is stored under its
   name. By itself the layer gets the stored tensor. Bound to an expression, it gets the expression's value; the stored
   tensor may be a part of that expression, or of others, or of none.

   Each parameter in an expression keeps its group, flag, learning rate and optimizer, and trains when they say so,
   whatever stands beside it: its gradient is that of the expression by the chain rule, summed over all layers that use
   it. Elements that the loss cannot depend on (masked ones; those outside of every slice that is used; those of a factor
   that enter masked elements of a product alone, or meet nothing but masked elements and zeros of constants there) have
   no gradient and keep their bytes, whatever the optimizer, weight decay and momentum.

   Expressions belong to their model, live as long as it does, may be parts of several others, and are immutable. Where a
   call below makes one it sets *result to NULL on failure. Errors of all of them: THAW_INVALID_ARGUMENT (an operand is
   NULL or of another model; expressions nested deeper than 64), THAW_OUT_OF_MEMORY. Not safe while another thread uses
   the model. */
#ifndef THAW_COMBINE_H
#define THAW_COMBINE_H

#include <thaw/model.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A value that is computed from parameters. */
typedef struct thaw_expression thaw_expression;

/* ---- parameters beside those of the layers ---- */

/* Adds a parameter that no layer has, to be a part of expressions. Its name is "<group>.<name>"; the group is made, or is
   one that an earlier call made. Errors: THAW_DUPLICATE (the name, or the group is a layer's), THAW_INVALID_ARGUMENT (the
   names, as of layers; the shape, the initial values, a statistic, more than THAW_MAX_PARAMETERS in a group). */
THAW_API thaw_status thaw_model_add_parameter(thaw_model *model, const char *group,
                                              const thaw_parameter_specification *specification,
                                              thaw_parameter **parameter);

/* ---- expressions ---- */

/* The tensor that is stored in a parameter, whatever the parameter is bound to. Errors: THAW_INVALID_ARGUMENT (a
   parameter of another model, a statistic, one that thaw_merge has removed). */
THAW_API thaw_status thaw_expression_of(thaw_model *model, thaw_parameter *parameter, thaw_expression **result);

/* What the parameter's layer gets: the expression that it is bound to at any time, else its stored tensor. So that tied
   weights stay tied when one of them is bound to something else. Errors: likewise. */
THAW_API thaw_status thaw_expression_bound(thaw_model *model, thaw_parameter *parameter, thaw_expression **result);

/* A tensor that never trains. The values (THAW_F32) are copied. Errors: THAW_INVALID_ARGUMENT (values, shape). */
THAW_API thaw_status thaw_expression_constant(thaw_model *model, const thaw_tensor *values, thaw_expression **result);

/* Element by element. Shapes go together as in NumPy and PyTorch: aligned at the last dimension, a dimension of 1 is
   repeated, missing ones count as 1. Multiplying by a parameter of one element scales by it.
   Errors: THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_add(thaw_expression *left, thaw_expression *right, thaw_expression **result);
THAW_API thaw_status thaw_expression_subtract(thaw_expression *left, thaw_expression *right, thaw_expression **result);
THAW_API thaw_status thaw_expression_multiply(thaw_expression *left, thaw_expression *right, thaw_expression **result);

/* factor * operand. Errors: THAW_INVALID_ARGUMENT (a factor that is not finite). */
THAW_API thaw_status thaw_expression_scale(thaw_expression *operand, double factor, thaw_expression **result);

/* The operand where the mask is 1, and 0 where it is 0. The mask (THAW_F32 or THAW_U8) is copied, and repeated to the
   operand's shape as above. Errors: THAW_INVALID_ARGUMENT (another dtype, other values), THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_mask(thaw_expression *operand, const thaw_tensor *mask, thaw_expression **result);

/* The parts one after the other along an axis, counted from 0; their other dimensions agree.
   Errors: THAW_INVALID_ARGUMENT (no part, the axis), THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_concatenate(thaw_expression *const *parts, size_t count, int axis,
                                                 thaw_expression **result);

/* Indices [begin, end) along an axis. Errors: THAW_INVALID_ARGUMENT (the axis, an empty or impossible range). */
THAW_API thaw_status thaw_expression_slice(thaw_expression *operand, int axis, int64_t begin, int64_t end,
                                           thaw_expression **result);

/* The matrix product of [m, k] and [k, n]. Errors: THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_product(thaw_expression *left, thaw_expression *right, thaw_expression **result);

/* base + scale * up down, where `base` as a matrix is [first dimension, all others], `up` [first dimension, rank] and
   `down` [rank, all others] (Hu et al. 2021, arXiv 2106.09685: W + s B A). Errors: THAW_INVALID_ARGUMENT (a rank larger
   than the matrix, a scale that is not finite), THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_low_rank(thaw_expression *base, thaw_expression *up, thaw_expression *down,
                                              double scale, thaw_expression **result);

/* magnitude * direction / |direction|, with one magnitude and one Euclidean norm for each index of the first dimension
   (Salimans & Kingma 2016, arXiv 1602.07868; PyTorch's weight_norm with dim 0). `magnitude` has as many elements as the
   direction's first dimension. A direction of norm 0 gives NaN, as in PyTorch. Errors: THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_weight_norm(thaw_expression *magnitude, thaw_expression *direction,
                                                 thaw_expression **result);

/* The shape of its value. Borrowed from the expression. */
THAW_API const thaw_shape *thaw_expression_shape(const thaw_expression *expression);

/* Frozen when every parameter in it is (constants are), trainable when all train entirely, else partial. A mask that
   holds a 0 makes it partial. */
THAW_API thaw_trainability thaw_expression_trainability(const thaw_expression *expression);

/* The expression as a formula, such as "dense1.weight + 2 * dense1.weight.lora_B @ dense1.weight.lora_A"; long ones are
   cut. The caller owns `*text` (thaw_text_destroy). */
THAW_API thaw_status thaw_expression_describe(const thaw_expression *expression, char **text);

/* Computes the expression now, into a THAW_F32 tensor of its shape. Errors: THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_expression_evaluate(thaw_expression *expression, const thaw_tensor *values);

/* ---- binding ---- */

/* From the next step on the parameter's layer computes with the expression; NULL: with the stored tensor again. A stored
   tensor that no layer's parameter is computed from does not train, is not counted, not saved and not asked for by loads;
   it keeps its values and its optimizer's state. So it is with an added parameter that was never in a binding, and with
   adapters after NULL: the model is then saved as an ordinary one, and binding the same expression again continues.
   Errors: THAW_INVALID_ARGUMENT (a statistic; a parameter that is not a layer's; another model; a parameter that
   thaw_merge has removed; a cycle through thaw_expression_bound), THAW_SHAPE_MISMATCH. */
THAW_API thaw_status thaw_parameter_bind(thaw_model *model, thaw_parameter *parameter, thaw_expression *expression);

/* What the parameter is bound to; NULL: its stored tensor. */
THAW_API thaw_expression *thaw_parameter_binding(const thaw_parameter *parameter);

/* ---- ready-made combinations, by pattern ----
   Patterns select layers and their parameters as everywhere; of what they select, each call takes what it says. What
   is bound already becomes the operand of the new expression. On an error nothing has changed. */

/* Low-rank adaptation (LoRA): binds each selected weight matrix W (of layers' parameters of role THAW_WEIGHT and rank 2
   and above) to W + alpha / rank * B A, and freezes W. B, "<W's name>.lora_B" [outputs, rank], starts at zero and A,
   "<W's name>.lora_A" [rank, inputs], uniform as in peft (kaiming_uniform with a = sqrt 5); a convolution's inputs are
   channels * height * width. Both are in the group "<W's name>.lora", which trains with the optimizer of W's group, if it
   has one. Nothing else is frozen: thaw_model_freeze(model, "*") before the call leaves the adapters alone to train.
   Errors: THAW_NOT_FOUND (no weight matrix), THAW_INVALID_ARGUMENT (rank below 1 or larger than a matrix, alpha not
   finite), THAW_DUPLICATE (W has adapters of that name). */
THAW_API thaw_status thaw_lora(thaw_model *model, const char *pattern, int64_t rank, double alpha);

/* Binds each selected weight to itself under a mask of 0 and 1 (as thaw_expression_mask), or, where `mask` is NULL, to
   itself where it is not 0 now: a pruned network then trains and stays pruned. Errors: THAW_NOT_FOUND (no weight), and
   those of thaw_expression_mask. */
THAW_API thaw_status thaw_mask(thaw_model *model, const char *pattern, const thaw_tensor *mask);

/* Binds each selected weight W to W * l with one factor for each index of `axis` (0: outputs, 1: inputs), and freezes W.
   The factors, "<W's name>.ia3_l" in the group "<W's name>.ia3", start at 1 (Liu et al. 2022, arXiv 2205.05638, on
   weights in place of activations). Errors: as thaw_lora; THAW_INVALID_ARGUMENT (the axis). */
THAW_API thaw_status thaw_scale_adapter(thaw_model *model, const char *pattern, int axis);

/* Of the selected parameters, biases and shifts train and all others are frozen (BitFit: Ben Zaken et al. 2021,
   arXiv 2106.10199). Errors: THAW_NOT_FOUND. */
THAW_API thaw_status thaw_bias_only(thaw_model *model, const char *pattern);

/* Freezes indices [begin, end) along an axis of the tensors that are stored in the selected parameters, statistics
   apart: some rows of a dense layer, some filters of a convolution. They have no gradient and keep their bytes, also
   when the parameter is frozen and unfrozen as a whole. Where a parameter is frozen to its last element, it is frozen as
   by thaw_model_freeze instead, and the context's log says so.
   Errors: THAW_NOT_FOUND, THAW_INVALID_ARGUMENT (the axis or the range, for any selected parameter). */
THAW_API thaw_status thaw_freeze_slice(thaw_model *model, const char *pattern, int axis, int64_t begin, int64_t end);

/* The opposite, for what is left of them. Errors: likewise. */
THAW_API thaw_status thaw_unfreeze_slice(thaw_model *model, const char *pattern, int axis, int64_t begin, int64_t end);

/* Bakes what the selected parameters are bound to into their stored tensors, and unbinds them: the network computes what
   it did, and is saved as an ordinary one. Whether the parameters train is as their flags say (thaw_lora froze them).
   Added parameters that this leaves without a use are removed from the model; pointers to them stay valid as long as it,
   and cannot be bound again. Tied weights become equal, separate ones.
   Errors: THAW_NOT_FOUND (nothing selected is bound), THAW_INVALID_ARGUMENT (a stored tensor that would change is a part
   of an expression that is not merged with it). */
THAW_API thaw_status thaw_merge(thaw_model *model, const char *pattern);

#ifdef __cplusplus
}
#endif

#endif
